// valve.cpp: a service in C++17: opens and closes, and asks its supervisor who it is. Knows the installed headers
// alone.
#include <enrgdaq/job.h>
#include <enrgdaq/message.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <new>

namespace
{

struct valve {
	enrg_output *output = nullptr;
	bool has_heard = false;
};

struct position {
	std::int64_t percent;
};

const enrg_column columns[] = {{"percent", ENRG_I64, {}, "%"}};
const enrg_schema schema = {1, columns, false, 0, nullptr};

void hear(enrg_job *job, void *context, const enrg_reply *reply)
{
	static_cast<valve *>(context)->has_heard = reply->code == ENRG_ANSWER_OK;
	enrg_job_log(job, ENRG_INFO, "the supervisor says %s", reply->json);
}

int start(enrg_job *job, const void *, void **ret_state, enrg_error *err)
{
	std::unique_ptr<valve> self(new (std::nothrow) valve);
	enrg_request request{};

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = enrg_output_open(job, "store_config", nullptr, &schema, &self->output, err);
	request.to = "supervisor";
	request.kind = "ping";
	request.on_answer = hear;
	request.context = self.get();
	if (rc == 0)
		rc = enrg_job_send(job, &request, err);
	if (rc < 0)
		return rc;
	*ret_state = self.release();
	return 0;
}

int set_position(enrg_job *, void *state, const void *body, enrg_answer *answer, enrg_error *err)
{
	auto *self = static_cast<valve *>(state);
	enrg_value value{};

	value.i = static_cast<const position *>(body)->percent;
	enrg_fields_set_bool(enrg_answer_fields(answer), "has_heard", self->has_heard);
	enrg_answer_set_text(answer, "at %d %%", static_cast<int>(value.i));
	return enrg_output_append(self->output, &value, err);
}

void destroy(void *state)
{
	delete static_cast<valve *>(state);
}

// Member by member, so that one which a later header appends is no warning.
enrg_option make_percent()
{
	enrg_option made{};

	made.key = "percent";
	made.kind = ENRG_OPTION_INT;
	made.required = true;
	made.max = 100;
	made.unit = "%";
	made.help = "How far it is open.";
	return made;
}

const enrg_option options[] = {{}};
const enrg_option fields[] = {make_percent(), {}};

enrg_message_type make_message()
{
	enrg_message_type made{};

	made.size = sizeof(made);
	made.kind = "set_position";
	made.summary = "Opens or closes the valve.";
	made.body = {sizeof(position), fields};
	made.receive = set_position;
	return made;
}

const enrg_message_type message = make_message();
const enrg_message_type *const messages[] = {&message, nullptr};
const enrg_job_group groups[] = {{"store_config", true, "Where it goes."}, {nullptr, false, nullptr}};

enrg_job_type make_type()
{
	enrg_job_type made{};

	made.size = sizeof(made);
	made.name = "DAQJobValve";
	made.summary = "Opens and closes.";
	made.options = {1, options};
	made.groups = groups;
	made.start = start;
	made.destroy = destroy;
	made.messages = messages;
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
	made.name = "valve";
	made.jobs = types;
	return made;
}

} // namespace

ENRG_MODULE = make_module();
