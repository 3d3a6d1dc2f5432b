/* databases_test.c: called by databases.sh, which started the servers and says so in the environment. */
#include "databases.h"

#include <stdlib.h>

#include "base/log.h"

int main(void)
{
	log_init("databases", ENRG_ERROR);
	return (getenv("MYSQL_PORT") ? databases_test_mysql() : 0) + (getenv("REDIS_PORT") ? databases_test_redis() : 0);
}
