/* databases.h: the parts of the test program. Each returns the number of tests that failed. */
#ifndef DATABASES_DATABASES_H
#define DATABASES_DATABASES_H

int databases_test_sqlite(void);
int databases_test_mysql(void);
int databases_test_redis(void);

#endif
