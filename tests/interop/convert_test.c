/* convert_test.c: `enrgdaq convert` as a user calls it: every type through each format that the program itself or a
 * small tool reads back, what it refuses, and that a failure leaves nothing. Arrow's file format and HDF5 are read by
 * others in check_convert.mjs. */
#include "call.h"

/* Nothing beside the output, also no folder of its own. */
static void assert_nothing_left(void)
{
	assert_output("find . -name '.enrgdaq*' -o -name 'bad.*' -not -name bad.arrows", 0, "");
}

static void test_csv(void **state)
{
	(void)state;
	assert_output("$E convert types.arrows t.csv 2>&1", 0, "");
	/* Two writers of the same text: the store and `cat`. */
	assert_output("$E cat types.arrows | cmp - t.csv && wc -l <t.csv", 0, "1006\n");
	assert_output("$E convert types.arrows t.csv.zst && zstdcat t.csv.zst | cmp - t.csv", 0, "");
	assert_output("$E convert types.arrows part --format csv --columns wave,i8 && head -3 part", 0,
		"wave,i8\n\"[]\",0\n\"[-7]\",-7\n");
	assert_output("$E convert large.arrows l.csv && $E cat large.arrows | cmp - l.csv", 0, "");
	assert_nothing_left();
}

static void test_arrow(void **state)
{
	(void)state;
	assert_output(
		"$E convert types.arrows t.arrow && $E cat types.arrows >want && $E cat t.arrow | cmp - want", 0, "");
	assert_output("head -c 8 t.arrow | od -An -c | tr -d ' \\n'; tail -c 6 t.arrow", 0, "ARROW1\\0\\0ARROW1");
	assert_output("$E convert types.arrows some.arrow --columns wave64,bool,text,blob,u64 && "
		      "$E cat types.arrows --columns wave64,bool,text,blob,u64 >want && $E cat some.arrow | cmp - want",
		0, "");
	/* And on from there. */
	assert_output("$E convert some.arrow some.csv && cmp some.csv want", 0, "");
	assert_output("$E convert wide.arrows wide.arrow && $E cat wide.arrow | md5sum >want && "
		      "$E cat wide.arrows | md5sum | cmp - want",
		0, "");
	/* Without its footer it is still a stream behind 8 bytes. */
	assert_output("tail -c +9 some.arrow | head -c -200 >stream.arrows; $E cat stream.arrows 2>/dev/null | head -1",
		0, "wave64,bool,text,blob,u64\n");
	assert_nothing_left();
}

/* A stream as the store leaves it: of all columns the same bytes but for the end mark that this one has. */
static void test_arrows(void **state)
{
	(void)state;
	assert_output("$E convert types.arrows t.arrows && head -c -8 types.arrows | cmp - t.arrows", 0, "");
	assert_output("$E convert types.arrows some.arrows --columns wave,text,i8 && $E cat types.arrows --columns "
		      "wave,text,i8 >want && $E cat some.arrows | cmp - want",
		0, "");
	assert_part("$E verify some.arrows", 0, "whole: ");
	assert_output(
		"$E convert zstd.arrows z.arrows && $E cat z.arrows | md5sum >want && $E cat types.arrows | md5sum | "
		"cmp - want",
		0, "");
	assert_nothing_left();
}

static void test_compressed(void **state)
{
	(void)state;
	assert_output("$E cat types.arrows >want; $E convert zstd.arrows z.csv && cmp z.csv want", 0, "");
	assert_output("$E convert zstd.arrows z.arrow && $E cat z.arrow | cmp - want", 0, "");
	assert_output(
		"$E cat --columns wave,i8 types.arrows >want; $E convert zstd.arrows z2.arrow --columns wave,i8 && "
		"$E cat z2.arrow | cmp - want",
		0, "");
	/* Batches stay as small as they are. */
	assert_output("test $(stat -c %s z.arrow) -lt $(($(stat -c %s zstd.arrows) + 2000))", 0, "");
	assert_nothing_left();
}

/* Two events of the digitizer, of two samples and of one; the gaps of the C struct hold rubbish. */
#define DUMP                                                                                                           \
	"printf '"                                                                                                     \
	"\\060\\0\\0\\0\\003\\377\\377\\377\\004\\0\\0\\0\\005\\377\\377\\377\\006\\0\\0\\0\\007\\0\\0\\0"             \
	"\\0\\001\\0\\0\\0\\0\\0\\0\\001\\377\\0\\0\\350\\003\\376\\377\\001\\377\\001\\0\\351\\003\\005\\0"           \
	"\\050\\0\\0\\0\\003\\0\\0\\0\\004\\0\\0\\0\\005\\0\\0\\0\\377\\377\\377\\377\\010\\0\\0\\0"                   \
	"\\001\\001\\0\\0\\0\\0\\0\\0\\002\\0\\007\\0\\011\\0\\012\\0' >d.bin; "

static void test_dump(void **state)
{
	(void)state;
	assert_output(DUMP "$E convert --odd-times d.bin d.csv 2>/dev/null && cat d.csv", 0,
		"pc_unix_ms_timestamp,trigger_time_tag,board_id,pattern,channel_mask,event_counter,channel,"
		"sample_index,value_lsb,value_mv\n"
		"256,7,3,4,5,6,1,0,1000,-2\n256,7,3,4,5,6,1,1,1001,5\n257,8,3,4,5,4294967295,2,7,9,10\n");
	/* Times that can't be: a file of another layout, unless somebody knows better. */
	assert_part("$E convert d.bin bad.csv 2>&1", 2, "every event in it would be before 1990 or after 2099");
	assert_output(
		"{ printf '\\050\\0\\0\\0'; head -c 20 /dev/zero; printf '\\0\\010\\143\\112\\223\\001\\0\\0'; "
		"head -c 8 /dev/zero; } >now.bin; cat d.bin now.bin >three.bin; $E convert three.bin three.csv 2>said; "
		"wc -l <three.csv; grep -c '2 of 3 events have times' said",
		0, "5\n1\n");
	assert_output("$E convert --odd-times d.bin d.arrow 2>/dev/null && $E cat d.arrow | cmp - d.csv && $E cat "
		      "d.bin | cmp - d.csv",
		0, "");
	/* More than a batch. */
	assert_output("for i in $(seq 12); do cat d.bin d.bin >e.bin; mv e.bin d.bin; done; for i in 1 2 3 4; do "
		      "cat d.bin d.bin >e.bin; mv e.bin d.bin; done; $E cat d.bin | tail -n +2 | sort | uniq -c",
		0,
		"  65536 256,7,3,4,5,6,1,0,1000,-2\n  65536 256,7,3,4,5,6,1,1,1001,5\n"
		"  65536 257,8,3,4,5,4294967295,2,7,9,10\n");
	assert_part("head -c 80 d.bin >cut.bin; $E convert --odd-times cut.bin bad.csv 2>&1", 1,
		"cut.bin: at byte 48: the file ends inside an event");
	assert_part("$E convert types.arrows bad.bin 2>&1; cp types.arrows no.bin; $E convert no.bin bad.csv 2>&1", 1,
		"no.bin: at byte 0: an event can't have 4294967295 bytes");
	assert_nothing_left();
}

static void test_raw(void **state)
{
	(void)state;
	assert_output("$E convert blob.arrows b.bytes --format raw && od -An -tu1 b.bytes", 0, "   1   2   3\n");
	assert_part("$E convert types.arrows bad.raw --format raw 2>&1", 2, "this is a table, and raw is for blobs");
	assert_nothing_left();
}

static void test_refusals(void **state)
{
	(void)state;
	assert_output("echo mine >there.csv; $E convert types.arrows there.csv 2>&1", 2,
		"enrgdaq convert: there.csv is there already; convert never overwrites\n");
	assert_output("cat there.csv", 0, "mine\n");
	assert_part("ln -s nowhere dangling.csv; $E convert types.arrows dangling.csv 2>&1", 2, "is there already");
	assert_part("$E convert types.arrows bad.foo 2>&1", 2, "does not say which format");
	assert_part("$E convert types.arrows bad.foo --format xml 2>&1", 2, "unknown format \"xml\"");
	assert_part("$E convert types.arrows bad.csv --tree x 2>&1", 2, "--tree is for root");
	assert_part("$E convert types.arrows bad.csv --dataset x 2>&1", 2, "--dataset is for hdf5");
	assert_part("$E convert types.arrows bad.csv --columns nope 2>&1", 2, "there is no column \"nope\"");
	assert_part("$E convert nowhere.arrows bad.csv 2>&1", 2, "nowhere.arrows: No such file");
	assert_part("$E convert types.arrows 2>&1", 2, "INPUT and OUTPUT");
	assert_part("$E convert types.arrows - 2>&1", 2, "the output is a file; `enrgdaq cat` prints rows");
	assert_part("$E convert types.arrows types.arrows 2>&1", 2, "types.arrows is there already");
	assert_output("$E convert types.arrows no/such/folder.csv 2>&1", 1,
		"enrgdaq convert: no/such/folder.csv: there is no folder no/such; make it first: mkdir -p 'no/such'\n");
	assert_output(": >none.arrows; $E convert none.arrows bad.csv 2>&1", 2,
		"enrgdaq convert: none.arrows: the file is empty: it holds no rows\n");
	assert_output(": >none.npy.lz4; $E convert none.npy.lz4 bad.csv 2>&1", 2,
		"enrgdaq convert: none.npy.lz4: the file is empty: it holds no rows\n");
	assert_nothing_left();
}

static void test_damage(void **state)
{
	(void)state;
	assert_part("$E convert cut.arrows bad.csv 2>&1", 1,
		"cut.arrows: at byte 85456: the file ends inside a message; `enrgdaq verify cut.arrows`");
	assert_part("cp types.arrows bad.arrows; printf x | dd of=bad.arrows bs=1 seek=40000 conv=notrunc 2>/dev/null;"
		    "$E convert bad.arrows bad.arrow 2>&1",
		1, "the check sum of batch 4 is wrong");
	assert_part("$E convert bad.arrows bad.csv.zst 2>&1", 1, "the check sum of batch 4 is wrong");
	assert_output("$E convert types.arrows whole.arrow && head -c 60000 whole.arrow >cut.arrow; $E convert "
		      "cut.arrow bad.csv "
		      "2>&1 | head -1",
		0,
		"enrgdaq convert: cut.arrow: at byte 7384: the file ends inside a message; `enrgdaq verify cut.arrow` "
		"says what can be read\n");
	assert_part("$E verify --repair cut.arrow", 1, "cut.arrow: not whole: 1 place damaged; readable: ");
	assert_part("$E verify whole.arrow", 0, "whole.arrow: whole: 3 batches, 1,005 rows");
	assert_part("$E convert zstd.arrows zstd.arrow && $E verify zstd.arrow", 0, "zstd.arrow: whole: ");
	assert_part("$E convert types.arrows few.arrow --columns i8,wave && $E verify few.arrow whole.arrow", 0,
		"few.arrow: whole: ");
	assert_part("$E convert /etc/passwd bad.csv 2>&1", 2, "/etc/passwd: this is no Arrow file; what can be read");
	/* A limit of the file's size is a full disk. */
	assert_part("(trap '' XFSZ; ulimit -f 100; $E convert large.arrows bad.csv) 2>&1", 1, "enrgdaq convert: ");
	assert_part("(trap '' XFSZ; ulimit -f 100; $E convert large.arrows bad.arrow) 2>&1", 1,
		"can't write the Arrow file");
	assert_nothing_left();
}

/* Values that are not there, from another writer: kept where the format can, counted where it can't. */
static void test_missing(void **state)
{
	(void)state;
	assert_output("cp '" ENRG_SOURCE_DIR "/tests/fuzz/corpus/arrow_file/foreign_nulls' n.arrows; "
		      "$E convert n.arrows n.csv 2>&1; $E convert n.arrows n.arrow 2>&1; $E cat n.arrow | cmp - n.csv; "
		      "grep -c '^,,,2' n.csv",
		0, "2\n");
	assert_part("$E convert n.arrows bad.arrow --columns i32 2>&1", 1, "column \"i32\" lacks values");
}

static void test_signal(void **state)
{
	(void)state;
	/* The folder is there from the start of the work to its end. */
	assert_part("for i in 1 2 3 4 5 6; do cat large.arrows; done >big.arrows; $E convert big.arrows bad.csv.zst "
		    "2>said & "
		    "until ls -d .enrgdaq-convert-* >list 2>/dev/null; do :; done; kill -TERM $!; wait $!; echo code "
		    "$?; cat said",
		0, "code 1\nenrgdaq convert: interrupted; nothing was kept\n");
	assert_nothing_left();
}

static void test_terminal(void **state)
{
	(void)state;
	assert_part("script -qec \"$E convert large.arrows seen.csv.zst\" /dev/null </dev/null | tr -d '\\r'", 0,
		"seen.csv.zst: 1500000 rows in ");
	assert_part("script -qec \"$E convert big.arrows big.csv\" /dev/null </dev/null | tr '\\r' '\\n'", 0, " MB/s");
}

static void test_salvage(void **state)
{
	(void)state;
	assert_part("$E convert cut.arrows bad.csv 2>&1", 1,
		"nothing was kept; --salvage keeps the 1005 rows before the damage");
	assert_part("$E convert cut.arrows kept.csv --salvage 2>&1", 1, "kept.csv has the 1005 rows before the damage");
	assert_output("$E cat types.arrows | cmp - kept.csv", 0, "");
	assert_output("$E convert types.arrows whole.csv --salvage 2>&1 && cmp whole.csv kept.csv", 0, "");
	/* Damage of the output is none of the input. */
	assert_part("(trap '' XFSZ; ulimit -f 100; $E convert large.arrows bad.csv --salvage) 2>&1", 1,
		"enrgdaq convert: ");
	assert_nothing_left();
}

static void test_empty(void **state)
{
	(void)state;
	/* A stream of a schema alone: its length stands in bytes 4 to 7. */
	assert_output("n=$(od -An -tu4 -j4 -N4 types.arrows); head -c $((n + 8)) types.arrows >empty.arrows; "
		      "$E convert empty.arrows empty.csv --columns i8,wave && cat empty.csv",
		0, "i8,wave\n");
	assert_output("$E convert empty.arrows empty.arrow && $E cat empty.arrow --columns i8", 0, "i8\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_arrow),
		cmocka_unit_test(test_arrows),
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_salvage),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, call_setup, call_teardown);
}
