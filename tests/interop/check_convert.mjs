// check_convert.mjs WRITE_ARROWS ENRGDAQ FORMAT…: lets `enrgdaq convert` write files of every type, reads them with
// apache-arrow, h5wasm and jsroot, and compares each cell with what apache-arrow finds in the stream they came from.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { RecordBatchReader, tableFromIPC } from "apache-arrow";
import h5wasm from "h5wasm/node";

await h5wasm.ready;

const [writeArrows, enrgdaq, ...formats] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "enrgdaq-convert-test-"));
const at = (name) => join(folder, name);
const convert = (...args) => execFileSync(enrgdaq, ["convert", ...args], { stdio: "inherit" });
const plain = (value) => (value !== null && typeof value === "object" ? Array.from(value) : value);
const cells = (table, name) => Array.from(table.getChild(name), plain);
const names = (table) => table.schema.fields.map((field) => field.name);

function assertSameTable(found, expected, columns) {
	assert.deepEqual(names(found), columns);
	assert.equal(found.numRows, expected.numRows);
	for (const name of columns) {
		assert.deepEqual(cells(found, name), cells(expected, name), name);
		const field = (table) => table.schema.fields.find((one) => one.name === name);
		assert.equal(field(found).type.toString(), field(expected).type.toString());
		assert.equal(field(found).metadata.get("unit"), field(expected).metadata.get("unit"));
	}
}

function checkArrow(expected) {
	convert(at("types.arrows"), at("types.arrow"));
	const bytes = readFileSync(at("types.arrow"));
	const reader = RecordBatchReader.from(bytes);
	assert.ok(reader.isFile());
	reader.open();
	assert.equal(reader.numRecordBatches, 4); // the footer's count, the empty one and the gap too
	assert.equal(reader.readRecordBatch(3).numRows, 1000); // by its place in the footer
	assertSameTable(tableFromIPC(bytes), expected, names(expected));

	const some = ["wave64", "bool", "text", "blob", "u64", "wave", "f32"];
	convert(at("types.arrows"), at("some.arrow"), "--columns", some.join(","));
	assertSameTable(tableFromIPC(readFileSync(at("some.arrow"))), expected, some);
	const batch = RecordBatchReader.from(readFileSync(at("some.arrow"))).open().readRecordBatch(3);
	assert.equal(batch.metadata.get("enrgdaq.sequence"), "0000000000000004");
	assert.equal(batch.metadata.get("enrgdaq.tag"), "types");

	convert(at("large.arrows"), at("large.arrow"), "--columns", "wave");
	assert.equal(tableFromIPC(readFileSync(at("large.arrow"))).numRows, 1500000);
	convert(at("wide.arrows"), at("wide.arrow"));
	assertSameTable(tableFromIPC(readFileSync(at("wide.arrow"))), tableFromIPC(readFileSync(at("wide.arrows"))),
		Array.from({ length: 4096 }, (_, index) => `c${index}`));
}

function checkHdf5(expected) {
	convert(at("types.arrows"), at("types.h5"), "--dataset", 'scan/a "b"');
	const file = new h5wasm.File(at("types.h5"), "r");
	for (const name of names(expected)) {
		const want = cells(expected, name);
		const path = `scan/a "b"/${name}`;
		if (!Array.isArray(want[0]) && name !== "text") {
			assert.deepEqual(Array.from(file.get(path).value), name === "bool" ? want.map(Number) : want, name);
			continue;
		}
		const values = Array.from(file.get(`${path}/values`).value);
		const ends = Array.from(file.get(`${path}/offsets`).value, Number);
		const found = ends.map((end, row) => values.slice(row ? ends[row - 1] : 0, end));
		assert.deepEqual(found, name === "text" ? want.map((text) => [...Buffer.from(text)]) : want, name);
	}
	file.close();
}

const real = (value) => {
	const view = new DataView(new ArrayBuffer(8));
	view.setFloat64(0, value);
	return view.getBigUint64(0).toString(16).padStart(16, "0");
};

function rootCell(name, value) {
	if (name === "bool")
		return `b ${Number(value)}`;
	if (name === "text")
		return `s ${Buffer.from(value).toString("hex")}`.trim();
	if (Array.isArray(value))
		return `l${value.map((item) => ` ${name === "wave64" ? real(item) : item}`).join("")}`;
	return name.startsWith("f") ? `f ${real(value)}` : `i ${value}`;
}

function checkRoot(expected) {
	for (const format of ["root-ttree", "root-rntuple"]) {
		const path = at(`${format}.root`);
		convert(at("types.arrows"), path, "--format", format, "--tree", "waves");
		const lines = execFileSync("node", [join(here, "read_root.mjs"), path], { encoding: "utf8", maxBuffer: 1 << 26 })
			.split("\n");
		const [, name, , rows, columns] = lines[0].split(" ");
		assert.equal(name, "waves");
		assert.equal(Number(rows), expected.numRows);
		assert.ok(Number(columns) >= names(expected).length);
		const found = lines.slice(1, 1 + Number(columns));
		for (const column of names(expected)) {
			// jsroot makes doubles of a tree's 64-bit integers, and wrong ones of negative ones.
			if (format === "root-ttree" && ["i64", "u64"].includes(column))
				continue;
			const index = found.indexOf(column);
			assert.ok(index >= 0, `${format}: column ${column} is among ${found}`);
			cells(expected, column).forEach((value, row) => {
				const cell = lines[1 + Number(columns) + row * Number(columns) + index];
				assert.equal(cell.trim(), rootCell(column, value), `${format}: ${column}[${row}]`);
			});
		}
	}
}

// Values that are not there, of another writer: ROOT has none of them and says how many became something else; HDF5 marks
// them.
const foreign = join(here, "foreign_nulls.arrows");

function countMissing() {
	const table = tableFromIPC(readFileSync(foreign));
	return table.schema.fields.reduce((sum, field) => sum + table.getChild(field.name).nullCount, 0);
}

function checkMissing(format, ending, told) {
	const result = spawnSync(enrgdaq, ["convert", foreign, at(`missing.${ending}`)], { encoding: "utf8" });
	assert.equal(result.status, 0, result.stderr);
	assert.equal(result.stderr, told);
	if (format !== "hdf5")
		return;
	const file = new h5wasm.File(at("missing.h5"), "r");
	assert.deepEqual(Array.from(file.get("data_valid/i32").value), Array.from(tableFromIPC(readFileSync(foreign))
		.getChild("i32"), (value) => Number(value !== null)));
	file.close();
}

const checks = { arrow: checkArrow, hdf5: checkHdf5, root: checkRoot };
try {
	execFileSync(writeArrows, [folder], { stdio: "inherit" });
	const expected = tableFromIPC(readFileSync(at("types.arrows")));
	assert.equal(expected.numRows, 1005);
	for (const format of formats) {
		checks[format](expected);
		if (format === "hdf5")
			checkMissing(format, "h5", "");
		if (format === "root")
			checkMissing(format, "root", `enrgdaq convert: ${countMissing()} missing values became NaN, 0, false or empty: `
				+ "ROOT has no others\n");
		console.log(`${format}: ok`);
	}
} finally {
	rmSync(folder, { recursive: true });
}
