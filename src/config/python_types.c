/* python_types.c: see the header. */
#include "config/python_types.h"

#include <stddef.h>
#include <string.h>

enum fate { FATE_LATER, FATE_REMOVED, FATE_MODULE };

/* Names of classes, and the old short names of some. Types that a module of ours has are asked for here where that
 * module is not installed. */
static const struct {
	const char *name, *old_name;
	enum fate fate;
} python_types[] = {
	{"DAQJobRemote", "remote", FATE_REMOVED},
	{"DAQJobRemoteProxy", "remote_proxy", FATE_REMOVED},
	{"DAQJobCAENDigitizer", NULL, FATE_LATER},
	{"DAQJobCAENHV", NULL, FATE_LATER},
	{"DAQJobCAENToolbox", NULL, FATE_LATER},
	{"DAQJobCamera", NULL, FATE_LATER},
	{"DAQJobHealthcheck", "healthcheck", FATE_LATER},
	{"DAQJobN1081B", NULL, FATE_LATER},
	{"DAQJobXiaomiMijia", NULL, FATE_LATER},
	{"DAQJobAlertSlack", "alert_slack", FATE_MODULE},
	{"DAQJobBenchmark", NULL, FATE_MODULE},
	{"DAQJobHandleAlerts", "handle_alerts", FATE_MODULE},
	{"DAQJobHandleStats", "handle_stats", FATE_MODULE},
	{"DAQJobHandleTraces", NULL, FATE_MODULE},
	{"DAQJobPCMetrics", NULL, FATE_MODULE},
	{"DAQJobServeHTTP", "serve_http", FATE_MODULE},
	{"DAQJobStoreCSV", "store_csv", FATE_MODULE},
	{"DAQJobStoreHDF5", NULL, FATE_MODULE},
	{"DAQJobStoreMemory", NULL, FATE_MODULE},
	{"DAQJobStoreMySQL", NULL, FATE_MODULE},
	{"DAQJobStoreROOT", "store_root", FATE_MODULE},
	{"DAQJobStoreRaw", NULL, FATE_MODULE},
	{"DAQJobStoreRedis", NULL, FATE_MODULE},
	{"DAQJobTest", "test", FATE_MODULE},
};

static const char *explain(enum fate fate)
{
	switch (fate) {
	case FATE_LATER:
		return "is a type of the Python ENRGDAQ that is not built yet here: take this file out of the folder, "
		       "or "
		       "leave that job to the Python program";
	case FATE_REMOVED:
		return "was removed from ENRGDAQ: supervisors are joined by [federation] in supervisor.toml, which is "
		       "read "
		       "and does nothing yet; take this file out of the folder";
	case FATE_MODULE:
		return "is known, but its module is not installed on this machine: `enrgdaq doctor` says what is "
		       "missing";
	}
	return NULL;
}

const char *python_types_explain(const char *name)
{
	for (size_t i = 0; i < sizeof(python_types) / sizeof(python_types[0]); i++)
		if (!strcmp(python_types[i].name, name) ||
			(python_types[i].old_name && !strcmp(python_types[i].old_name, name)))
			return explain(python_types[i].fate);
	return NULL;
}
