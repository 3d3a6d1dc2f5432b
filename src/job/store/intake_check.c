/* intake_check.c: what is wrong with a record, counted and told; what is done with one. Store process, main thread. */
#include "job/store/intake_parts.h"

#include "base/clock.h"

#define FAULT_EVERY_NS 10000000000ull /* alerts of one kind and input */

void intake_tell_fault(
	struct intake *intake, struct intake_fault *fault, const char *what, const struct enrg_error *why)
{
	uint64_t now = clock_mono_ns();

	fault->untold++;
	if (fault->told_ns && now - fault->told_ns < FAULT_EVERY_NS)
		return;
	if (fault->untold > 1)
		process_alert(intake->process, ENRG_ERROR, "%s: %s (and %llu like it before)", what, why->text,
			(unsigned long long)fault->untold - 1);
	else
		process_alert(intake->process, ENRG_ERROR, "%s: %s", what, why->text);
	fault->told_ns = now;
	fault->untold = 0;
}

void intake_count_corrupt(
	struct intake *intake, struct intake_input *input, uint64_t rows, const struct enrg_error *why)
{
	input->now.corrupted_batches++;
	input->now.corrupted_rows += rows;
	input->is_dirty = true;
	intake_tell_fault(intake, &input->corrupt, "a corrupt batch was not stored", why);
}

int intake_check_sequence(struct intake *intake, struct intake_input *input, const struct record *header)
{
	uint64_t expected = input->now.sequence + 1;
	uint64_t hole = 0;
	struct enrg_error why;

	if (input->now.sequence == 0 && input->now.position != 0)
		expected = header->sequence;
	if (header->sequence < expected) {
		input->now.duplicated_batches++;
		enrg_error_set(&why, ENRG_E_SEQUENCE, "%s: batch %llu, expected %llu", input->source,
			(unsigned long long)header->sequence, (unsigned long long)expected);
		intake_tell_fault(intake, &input->duplicated, "a batch came twice and was stored once", &why);
		return 1;
	}
	hole = header->sequence - expected;
	hole -= hole < input->skipped_records ? hole : input->skipped_records;
	input->skipped_records = 0;
	if (hole == 0)
		return 0;
	input->now.lost_batches += hole;
	enrg_error_set(&why, ENRG_E_SEQUENCE, "%s: %llu missing before batch %llu, expected %llu", input->source,
		(unsigned long long)hole, (unsigned long long)header->sequence, (unsigned long long)expected);
	intake_tell_fault(intake, &input->lost, "batches are missing", &why);
	return 0;
}

void intake_accept(const struct intake_record *record)
{
	struct intake_input *input = record->input;

	input->now.position = record->end;
	input->now.sequence = record->header->sequence;
	input->is_dirty = true;
}

void intake_reject(struct intake *intake, const struct intake_record *record, const struct enrg_error *why)
{
	intake_count_corrupt(intake, record->input, record->header->rows, why);
	intake_accept(record);
}
