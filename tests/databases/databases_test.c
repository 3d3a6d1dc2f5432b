/* databases_test.c: called by databases.sh, which started the servers and says so in the environment. */
#include "databases.h"

#include <stdlib.h>

#include "base/log.h"

int main(void)
{
	log_init("databases", ENRG_ERROR);
	if (getenv("SQLITE_FOLDER"))
		return databases_test_sqlite();
	return getenv("MYSQL_PORT") ? databases_test_mysql() : databases_test_redis();
}
