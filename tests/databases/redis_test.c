#include "databases.h"
int databases_test_redis(void)
{
	return 0;
}
