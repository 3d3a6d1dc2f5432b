/* cat_test.c: `enrgdaq cat` as a user calls it, on files with every type, cut, compressed and damaged ones. */
#include "call.h"

static void test_text(void **state)
{
	(void)state;
	assert_output("$E cat --head 3 types.arrows", 0,
		"bool,i8,i16,i32,i64,u8,u16,u32,u64,f32,f64,text,blob,wave,wave64\n"
		"true,0,0,0,-9223372036854775808,0,0,0,18446744073709551615,0.0,0.0,\"\",\"\",\"[]\",\"[]\"\n"
		"false,-7,-7,-7,-9223372036854775807,249,65529,4294967289,18446744073709551614,0.5,0.3333333333333333,"
		"b,AQ==,\"[-7]\",\"[0.3333333333333333]\"\n"
		"false,-14,-14,-14,-9223372036854775806,242,65522,4294967282,18446744073709551613,1.0,"
		"0.6666666666666666,cd,AgM=,\"[-14 -21]\",\"[0.6666666666666666 1.0]\"\n");
	assert_output("$E cat types.arrows | wc -l", 0, "1006\n");
	assert_output("$E cat --head 0 types.arrows --columns i8", 0, "i8\n");
}

static void test_columns(void **state)
{
	(void)state;
	assert_output("$E cat --columns wave,u64 --head 2 types.arrows", 0,
		"wave,u64\n\"[]\",18446744073709551615\n\"[-7]\",18446744073709551614\n");
	/* One header where the columns are the same, another where they are not. */
	assert_output("$E cat --columns i8 --head 1 types.arrows types.arrows", 0, "i8\n0\n0\n");
	assert_output(
		"$E cat --head 1 blob.arrows large.arrows", 0, "bytes\n\"\"\ntime,wave\n18446744073709551615,\"[]\"\n");
	assert_part("$E cat --columns tex types.arrows 2>&1", 2, "there is no column \"tex\"; did you mean text?");
	assert_part("$E cat --columns i8,i8 types.arrows 2>&1", 2, "named twice");
}

static void test_json(void **state)
{
	(void)state;
	assert_output("$E cat --json --head 2 types.arrows", 0,
		"{\"bool\":true,\"i8\":0,\"i16\":0,\"i32\":0,\"i64\":-9223372036854775808,\"u8\":0,\"u16\":0,\"u32\":0,"
		"\"u64\":18446744073709551615,\"f32\":0.0,\"f64\":0.0,\"text\":\"\",\"blob\":\"\",\"wave\":[],"
		"\"wave64\":[]}\n"
		"{\"bool\":false,\"i8\":-7,\"i16\":-7,\"i32\":-7,\"i64\":-9223372036854775807,\"u8\":249,"
		"\"u16\":65529,\"u32\":4294967289,\"u64\":18446744073709551614,\"f32\":0.5,"
		"\"f64\":0.3333333333333333,\"text\":\"b\",\"blob\":\"AQ==\",\"wave\":[-7],"
		"\"wave64\":[0.3333333333333333]}\n");
}

/* Nulls, and text that is no UTF-8: a file of another writer, which has no check sums. */
#define FOREIGN "cp '" ENRG_SOURCE_DIR "/tests/fuzz/corpus/arrow_file/foreign_nulls' f.arrows; "

static void test_foreign(void **state)
{
	(void)state;
	assert_output(FOREIGN "LC_ALL=C sed -i 's/ccc/\\xc3\\xa4\\xff/' f.arrows; $E cat f.arrows --columns "
			      "i32,text,wave,x | head -4",
		0, "i32,text,wave,x\n1,a,\"[1 2]\",0.5\n,,,1.5\n3,ä\xff,\"[3]\",2.5\n");
	assert_output("$E cat f.arrows --json --columns i32,text,wave --head 3", 0,
		"{\"i32\":1,\"text\":\"a\",\"wave\":[1,2]}\n{\"i32\":null,\"text\":null,\"wave\":null}\n"
		"{\"i32\":3,\"text\":\"ä\xef\xbf\xbd\",\"wave\":[3]}\n");
	/* Compressed, without a check sum: nothing that could be wrong is known of it. */
	assert_output("cp '" ENRG_SOURCE_DIR "/tests/fuzz/corpus/arrow_file/foreign_compressed' p.arrows; "
		      "$E verify p.arrows",
		0, "p.arrows: whole: 1 batch, 3 rows, 416 bytes; 1 message without check sums\n");
}

static void test_schema(void **state)
{
	(void)state;
	assert_output("$E cat --schema --columns i8,i16,f32,wave types.arrows", 0,
		"name,type,unit\ni8,int8,\ni16,int16,mV\nf32,float32,°C\nwave,list of int16,mV\n");
	assert_output("$E cat --schema --json --columns i8,wave types.arrows", 0,
		"{\"file\":\"types.arrows\",\"blob\":false,\"columns\":[{\"name\":\"i8\",\"type\":\"int8\"},"
		"{\"name\":\"wave\",\"type\":\"list\",\"item\":\"int16\",\"unit\":\"mV\"}]}\n");
	assert_part("$E cat --schema wide.arrows | tail -1", 0, "c4095,int32,\n");
}

/* Times are shown as times and keep their nanoseconds, also in what is converted. */
static void test_times(void **state)
{
	(void)state;
	assert_output("$E cat times.arrows", 0,
		"time,i8\n2026-11-28T00:12:34.123456789Z,0\n2026-11-28T00:12:34.123456790Z,-7\n");
	assert_output(
		"$E cat --json --head 1 times.arrows", 0, "{\"time\":\"2026-11-28T00:12:34.123456789Z\",\"i8\":0}\n");
	assert_output("$E cat --schema times.arrows", 0, "name,type,unit\ntime,timestamp_ns,\ni8,int8,\n");
	assert_output("$E convert times.arrows times.csv >/dev/null && tail -n 1 times.csv", 0,
		"2026-11-28T00:12:34.123456790Z,-7\n");
	assert_output("$E convert --columns time times.arrows t.arrow >/dev/null && $E cat t.arrow | tail -n 1", 0,
		"2026-11-28T00:12:34.123456790Z\n");
}

static void test_damage(void **state)
{
	(void)state;
	assert_output("$E cat --columns i8 cut.arrows 2>/dev/null | tail -n +1006", 0, "-116\n");
	assert_part(
		"$E cat cut.arrows 2>&1 >/dev/null", 1, "cut.arrows: at byte 85456: the file ends inside a message");
	assert_part("cp types.arrows bad.arrows; printf x | dd of=bad.arrows bs=1 seek=40000 conv=notrunc 2>/dev/null;"
		    "$E cat bad.arrows 2>&1 >/dev/null",
		1, "is wrong; `enrgdaq verify bad.arrows` says");
	assert_output("$E cat types.arrows >want; $E cat zstd.arrows | cmp - want", 0, "");
#ifdef ENRG_HAS_LZ4
	assert_output("$E cat lz4.arrows | cmp - want", 0, "");
#endif
	/* The same verdicts as `enrgdaq verify`: no Arrow file, and a damaged one. */
	assert_part("$E cat /etc/passwd 2>&1", 2, "/etc/passwd: this is no Arrow file; what can be read are .arrows");
	assert_part("$E verify /etc/passwd 2>&1", 2, "this is no Arrow stream");
	assert_part("cp types.arrows head.arrows; printf x | dd of=head.arrows bs=1 conv=notrunc 2>/dev/null;"
		    "$E cat head.arrows 2>&1",
		1, "head.arrows: at byte 0: no message starts here");
	assert_part("$E verify head.arrows 2>&1", 1, "head.arrows: not whole: 1 place damaged; readable: 3 batches");
	assert_part("$E cat nowhere.arrows 2>&1", 2, "nowhere.arrows: No such file or directory");
	assert_part("$E cat 2>&1", 2, "which file?");
	assert_part("$E cat --head x types.arrows 2>&1", 2, "expected a number of rows, found \"x\"");
}

/* A file of 0 bytes: a store that was killed before its first commit may leave one. */
static void test_empty(void **state)
{
	(void)state;
	assert_output(": >none.arrows; $E cat none.arrows", 0, "");
	assert_output("$E cat none.arrows 2>&1", 0, "enrgdaq cat: none.arrows: the file is empty: it holds no rows\n");
	assert_output("$E cat --columns i8 --head 1 none.arrows types.arrows 2>/dev/null", 0, "i8\n0\n");
	assert_output("$E verify none.arrows", 0, "none.arrows: whole: the file is empty: it holds no rows\n");
}

static void test_output(void **state)
{
	(void)state;
	assert_output("{ { $E cat large.arrows; echo code $? >&3; } | head -1 >/dev/null; } 3>&1 2>&3", 0, "code 0\n");
	assert_part("$E cat large.arrows 2>&1 >/dev/full", 1, "the output can't be written");
	assert_output("$E cat --schema types.arrows 2>&1 >/dev/full", 1, "enrgdaq cat: the output can't be written\n");
	assert_output("$E verify types.arrows 2>&1 >/dev/full", 2,
		"enrgdaq verify: the output can't be written: No space left on device\n");
}

#define CORPUS ENRG_SOURCE_DIR "/tests/fuzz/corpus/caen/"

/* Files of CAEN's programs: what they hold, and that what can't be true is refused. */
static void test_caen(void **state)
{
	(void)state;
	assert_output("cp '" CORPUS "wavedump' wave5.dat; $E cat wave5.dat", 0,
		"board,channel,trigger_time_tag,pattern,event_counter,samples\n"
		"3,5,1000,0,0,\"[0 1 2 3 4 5 6 7]\"\n3,5,1001,0,1,\"[0 1 2 3 4 5 6 7]\"\n"
		"3,5,1002,0,2,\"[0 1 2 3 4 5 6 7]\"\n");
	assert_output("$E cat '" CORPUS "wavedump_text'", 0,
		"board,channel,trigger_time_tag,pattern,event_counter,samples\n"
		"31,2,9,1,0,\"[1 2 16383]\"\n31,2,10,1,1,\"[1 2 16383]\"\n");
	assert_output("printf '\\001\\0\\002\\0\\003\\0\\004\\0' >plain.dat; $E cat --record-length 2 plain.dat", 0,
		"samples\n\"[1 2]\"\n\"[3 4]\"\n");
	assert_part("$E cat plain.dat 2>&1", 1, "the file ends inside an event");
	assert_output("cp '" CORPUS "compass_2' a.BIN; $E cat --head 2 a.BIN", 0,
		"board,channel,timestamp_ps,energy,energy_calibrated,energy_short,flags,waveform_code,samples\n"
		"0,0,1000000000000,100,1.5,50,16384,1,\"[1 2 3 4]\"\n0,1,1000000001000,101,1.5,50,16384,1,\"[1 2 3 "
		"4]\"\n");
	assert_output("cp '" CORPUS "compass_2_list' l.BIN; $E cat --head 1 l.BIN", 0,
		"board,channel,timestamp_ps,energy,energy_short,flags\n0,0,1000000000000,100,50,16384\n");
	assert_output("cp '" CORPUS "compass_1' old.BIN; $E cat --head 1 old.BIN", 0,
		"board,channel,timestamp_ps,energy,energy_short,flags,samples\n"
		"0,0,1000000000000,100,50,16384,\"[1 2 3 4]\"\n");
	assert_output("$E cat '" CORPUS "compass_csv'", 0,
		"board,channel,timestamp_ps,energy,energy_short,flags,waveform_code,samples\n"
		"0,1,1000,7,5,16384,1,\"[10 20 30]\"\n0,1,2000,8,6,0,1,\"[11 21 31]\"\n");
	assert_part("cp types.arrows no.dat; $E cat no.dat 2>&1", 1, "an event can't have 4294967295 bytes");
	assert_part("cp types.arrows no.BIN; $E cat no.BIN 2>&1", 1, "make sense in no layout of CoMPASS");
	assert_part("{ cat wave5.dat; tail -c 40 wave5.dat | head -c 39; } >cut.dat; $E convert cut.dat cut.csv 2>&1",
		1, "cut.dat: at byte 120: the file ends inside an event");
	/* Two 8-bit samples, and a real of x742 (2048.0), taken for 16-bit samples. */
	assert_part("printf '\\200\\177\\200\\200' >eight.dat; $E cat --record-length 2 eight.dat 2>&1", 1,
		"sample 0 is 32640, and no board");
	assert_part("{ head -c 24 wave5.dat; printf '\\1\\0\\2\\0\\0\\0\\0\\105\\0\\0\\0\\0\\0\\0\\0\\0'; } >real.dat; "
		    "$E cat real.dat 2>&1",
		1, "sample 3 is 17664");
	assert_part("sed 's/^Pattern: .*/Pattern: 0x100000001/' '" CORPUS
		    "wavedump_text' >wide.txt; $E cat wide.txt 2>&1",
		1, "holds no number of 32 bits");
	assert_part("sed 's/^Trigger Time Stamp: .*/Trigger Time Stamp: -1/' '" CORPUS
		    "wavedump_text' >minus.txt; $E cat minus.txt 2>&1",
		1, "holds no number of 32 bits");
	assert_part("sed '2s/1000/99999999999999999999/' '" CORPUS "compass_csv' >wide.csv; $E cat wide.csv 2>&1", 1,
		"\"99999999999999999999\" is no value");
	assert_part("sed '2s/1000/ -1/' '" CORPUS "compass_csv' >minus.csv; $E cat minus.csv 2>&1", 1,
		"\" -1\" is no value");
	/* An old dump whose milliseconds happen to begin with the bytes of 0xCAEx stays one; CoMPASS under .bin, too.
	 */
	assert_part(
		"printf '\\343\\312\\213\\334\\230\\1\\0\\0' >ms.bin; $E cat ms.bin 2>&1", 1, "pc_unix_ms_timestamp");
	assert_output("cp l.BIN l.bin; $E cat --head 1 l.bin | tail -1", 0, "0,0,1000000000000,100,50,16384\n");
	assert_part("$E cat --from tape wave5.dat 2>&1", 2, "\"tape\": --from takes wavedump");
	assert_output("$E convert a.BIN a.h5 && $E convert a.BIN a2.arrows && $E verify --quiet a2.arrows && $E cat "
		      "a2.arrows | "
		      "wc -l",
		0, "5\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_caen),
	};

	return cmocka_run_group_tests(tests, call_setup, call_teardown);
}
