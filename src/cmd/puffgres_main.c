/* puffgres_main: the program; everything else can be tested without a process. */
#include "cmd/puffgres.h"

int
main(int argc, char **argv)
{
    return puffgres_main(argc, argv);
}
