/* describe_statistics.h: the table of statistics. Process: `describe`. */
#ifndef CLI_DESCRIBE_STATISTICS_H
#define CLI_DESCRIBE_STATISTICS_H

#include <stdbool.h>

void describe_statistics(bool is_markdown);

#endif
