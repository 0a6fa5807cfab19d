#ifndef BASE_FAULT_H
#define BASE_FAULT_H

/*
 * Named points at which a test kills the process (tests/fault).
 *
 *     fault_point("checkpoint.saved");
 *
 * With PUFFGRES_KILL_AT=checkpoint.saved:3 in the environment the third passage ends the process
 * with SIGKILL: nothing is flushed, nothing is told, as when the machine loses its power.  What is
 * tested is the program that ships: without the variable a point costs one load.
 *
 * Every name occurs once in the source; the fault tests read them from there.
 */

/* Read the environment; before any thread starts. */
void fault_init(void);

void fault_point(const char *name);

#endif
