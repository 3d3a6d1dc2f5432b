// counter.cpp: a driver in C++17: counts to ten thousand. Knows the installed headers alone.
#include <enrgdaq/job.h>
#include <enrgdaq/store.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <new>

namespace
{

constexpr std::int64_t last = 9999;

struct counter {
	enrg_output *output = nullptr;
	std::int64_t next = 0;
};

const enrg_column columns[] = {{"count", ENRG_I64, {}, nullptr}};
const enrg_schema schema = {1, columns, false, 0, nullptr};

int start(enrg_job *job, const void *, void **ret_state, enrg_error *err)
{
	std::unique_ptr<counter> self(new (std::nothrow) counter);

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = enrg_output_open(job, "store_config", nullptr, &schema, &self->output, err);
	if (rc < 0)
		return rc;
	enrg_job_set_interval(job, 0);
	*ret_state = self.release();
	return 0;
}

int poll(enrg_job *, void *state, enrg_error *err)
{
	auto *self = static_cast<counter *>(state);
	enrg_value value{};

	if (self->next > last)
		return ENRG_POLL_DONE;
	value.i = self->next;
	int rc = enrg_output_append(self->output, &value, err);
	if (rc < 0)
		return rc;
	self->next++;
	return ENRG_POLL_AGAIN;
}

void destroy(void *state)
{
	delete static_cast<counter *>(state);
}

const enrg_option options[] = {{}};
const enrg_job_group groups[] = {{"store_config", true, "Where it goes."}, {nullptr, false, nullptr}};

/* Member by member: one that later headers append stays zero. */
enrg_job_type make_type()
{
	enrg_job_type made{};

	made.size = sizeof(made);
	made.name = "DAQJobCounter";
	made.summary = "Counts.";
	made.options = {sizeof(counter), options};
	made.groups = groups;
	made.start = start;
	made.poll = poll;
	made.destroy = destroy;
	return made;
}

const enrg_job_type type = make_type();
const enrg_job_type *const types[] = {&type, nullptr};

struct enrg_module make_module()
{
	struct enrg_module made {
	};

	made.abi = ENRG_MODULE_ABI;
	made.size = sizeof(made);
	made.option_bytes = sizeof(enrg_option);
	made.name = "counter";
	made.jobs = types;
	return made;
}

} // namespace

ENRG_MODULE = make_module();
