/* stores_test.c: the cases of store_cases.c with every store of kinds.c. An argument is the pattern of those to run:
 * test_conformance_stores 'kills*'. */
#include "base/log.h"
#include "store_cases.h"

int main(int argument_count, char **arguments)
{
	log_init("conformance", ENRG_ERROR);
	return store_cases_run("conformance.stores", argument_count > 1 ? arguments[1] : NULL, NULL);
}
