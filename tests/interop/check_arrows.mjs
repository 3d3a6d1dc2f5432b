// check_arrows.mjs WRITE_ARROWS: lets the C program write its files, reads them with apache-arrow and compares every
// value with what the formulas of write_arrows.c give when they are computed here; then checks the CRCs with an own
// CRC-32C.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CompressionType, compressionRegistry, Message, tableFromIPC } from "apache-arrow";
import * as fzstd from "fzstd";
import * as lz4 from "lz4js";
import { readArrows } from "./read_arrows.mjs";

const wrap = (bits, row) => Number(BigInt.asIntN(bits, -7n * BigInt(row)));
const wrapUnsigned = (bits, row) => Number(BigInt.asUintN(bits, -7n * BigInt(row)));
const items = (row, make) => Array.from({ length: row % 4 }, (_, k) => make(row + k));

const ALL_TYPES = {
	bool: { type: "Bool", at: (row) => row % 3 === 0 },
	i8: { type: "Int8", at: (row) => wrap(8, row) },
	i16: { type: "Int16", unit: "mV", at: (row) => wrap(16, row) },
	i32: { type: "Int32", at: (row) => wrap(32, row) },
	i64: { type: "Int64", unit: "ns", at: (row) => -(2n ** 63n) + BigInt(row) },
	u8: { type: "Uint8", at: (row) => wrapUnsigned(8, row) },
	u16: { type: "Uint16", at: (row) => wrapUnsigned(16, row) },
	u32: { type: "Uint32", at: (row) => wrapUnsigned(32, row) },
	u64: { type: "Uint64", at: (row) => 2n ** 64n - 1n - BigInt(row) },
	f32: { type: "Float32", unit: "°C", at: (row) => row / 2 },
	f64: { type: "Float64", at: (row) => row / 3 },
	text: { type: "Utf8", at: (row) => items(row, (n) => String.fromCharCode(97 + (n % 26))).join("") },
	blob: { type: "Binary", at: (row) => items(row, (n) => n & 255) },
	wave: { type: "List", item: "Int16", unit: "mV", at: (row) => items(row, (n) => wrap(16, n)) },
	wave64: { type: "List", item: "Float64", at: (row) => items(row, (n) => n / 3) },
};

const plain = (value) => (value !== null && typeof value === "object" ? Array.from(value) : value);

function checkFields(result, columns) {
	assert.deepEqual(result.fields, Object.entries(columns).map(([name, { type, item = null, unit = null }]) =>
		({ name, type, item, item_name: item && "item", nullable: false, unit })));
}

function checkValues(path, columns, rows) {
	const table = tableFromIPC(readFileSync(path));
	assert.equal(table.numRows, rows);
	for (const [name, { at }] of Object.entries(columns)) {
		const vector = table.getChild(name);
		assert.equal(vector.nullCount, 0);
		for (let row = 0; row < rows; row++)
			assert.deepEqual(plain(vector.get(row)), at(row), `${path}: ${name}[${row}]`);
	}
}

// Bit by bit, as RFC 3720 defines it.
function crc32c(bytes) {
	let crc = 0xffffffff;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit++)
			crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
}

// Walks over the messages as docs/arrows-format.md says and checks both CRCs of each. Returns how many there were.
function checkCrcs(path) {
	const file = readFileSync(path);
	let at = 0, count = 0;
	while (at < file.length) {
		assert.equal(at % 8, 0);
		assert.equal(file.readUInt32LE(at), 0xffffffff);
		const length = file.readInt32LE(at + 4);
		if (length === 0)
			return count;
		const head = Buffer.from(file.subarray(at, at + 8 + length));
		const message = Message.decode(head.subarray(8));
		const body = file.subarray(at + 8 + length, at + 8 + length + message.bodyLength);
		const found = message.metadata.get("enrgdaq.meta_crc32c");
		const digits = head.lastIndexOf(found);
		assert.ok(digits > 0);
		head.fill("0", digits, digits + 8);
		assert.equal(crc32c(head), found, `${path}: meta_crc32c of message ${count}`);
		if (message.isRecordBatch()) {
			assert.equal(head.length % 64, 0);
			assert.equal(body.length % 8, 0);
			const wanted = message.metadata.get("enrgdaq.body_crc32c");
			assert.equal(crc32c(body), wanted, `${path}: body_crc32c of message ${count}`);
		}
		at += head.length + body.length;
		count++;
	}
	assert.equal(at, file.length);
	return count;
}

async function checkTypes(folder) {
	const path = join(folder, "types.arrows");
	const result = await readArrows(path, true);
	assert.equal(result.error, null);
	checkFields(result, ALL_TYPES);
	assert.deepEqual(result.metadata, { "enrgdaq.source": "interop" });
	const kinds = result.batches.map((batch) => batch.metadata["enrgdaq.kind"]);
	assert.deepEqual(result.batches.map((batch) => batch.rows), [5, 0, 0, 1000]);
	assert.deepEqual(kinds, ["data", "data", "gap ", "data"]);
	assert.deepEqual(result.tables, [{
		source: "interop", run: "run-1", tag: "types", count: 4, gaps: 1, first: 1, last: 4, is_contiguous: true,
	}]);
	result.batches.forEach(({ metadata }, index) => {
		assert.equal(metadata["enrgdaq.sequence"], (index + 1).toString(16).padStart(16, "0"));
		assert.equal(metadata["enrgdaq.epoch"], "00000001");
		const acquired = BigInt("0x" + metadata["enrgdaq.acquired_ns"]);
		assert.equal(acquired, 1767225600000000000n + [0n, 5n, 5n, 5n][index]);
	});
	checkValues(path, ALL_TYPES, 1005);
	// The sums of read_arrows.mjs itself, which other tests rely on.
	for (const [name, { type, item, at }] of Object.entries(ALL_TYPES)) {
		if ((item ?? type).startsWith("Float"))
			continue;
		let sum = 0n;
		for (let row = 0; row < 1005; row++)
			for (const value of type === "Utf8" ? Buffer.from(at(row)) : [at(row)].flat())
				sum += BigInt(value);
		assert.equal(result.columns[name].sum, sum.toString(), name);
	}
	assert.equal(checkCrcs(path), 5);
}

// The same rows with each buffer compressed.
async function checkCompressed(folder) {
	compressionRegistry.set(CompressionType.ZSTD, { decode: (bytes) => Uint8Array.from(fzstd.decompress(bytes)) });
	compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (bytes) => Uint8Array.from(lz4.decompress(bytes)) });
	for (const name of ["zstd.arrows", "lz4.arrows"]) {
		const path = join(folder, name);
		if (name === "lz4.arrows" && !existsSync(path))
			continue; // built without liblz4
		assert.ok(readFileSync(path).length < 0.8 * readFileSync(join(folder, "types.arrows")).length);
		checkValues(path, ALL_TYPES, 1005);
		assert.equal(checkCrcs(path), 5);
	}
}

async function checkCut(folder) {
	const result = await readArrows(join(folder, "cut.arrows"));
	assert.match(result.error, /message body/);
	assert.equal(result.rows, 1005);
	assert.equal(result.columns.i64.last, (-(2n ** 63n) + 1004n).toString());
}

async function checkWide(folder) {
	const path = join(folder, "wide.arrows");
	const names = Array.from({ length: 4096 }, (_, i) => "c" + i);
	const columns = Object.fromEntries(names.map((name) => [name, { type: "Int32", at: ALL_TYPES.i32.at }]));
	const result = await readArrows(path);
	assert.equal(result.error, null);
	checkFields(result, columns);
	checkValues(path, columns, 3);
	assert.equal(checkCrcs(path), 2);
}

async function checkBlob(folder) {
	const path = join(folder, "blob.arrows");
	const result = await readArrows(path);
	assert.equal(result.error, null);
	assert.equal(result.metadata["enrgdaq.kind"], "blob");
	assert.equal(result.batch_count, 3);
	checkFields(result, { bytes: { type: "Binary" } });
	checkValues(path, { bytes: { at: ALL_TYPES.blob.at } }, 3);
}

async function checkLarge(folder) {
	const path = join(folder, "large.arrows");
	const result = await readArrows(path);
	const rows = 1500000;
	assert.equal(result.error, null);
	assert.equal(result.rows, rows);
	const times = (2n ** 64n - 1n) * BigInt(rows) - BigInt(rows) * BigInt(rows - 1) / 2n;
	assert.equal(result.columns.time.sum, times.toString());
	let sum = 0;
	for (let row = 0; row < rows; row++)
		for (let k = 0; k < row % 4; k++)
			sum += (-7 * (row + k)) << 16 >> 16;
	assert.equal(result.columns.wave.sum, sum.toString());
	assert.equal(result.columns.wave.items, 2250000);
}

const folder = mkdtempSync(join(tmpdir(), "enrgdaq-interop-"));
try {
	execFileSync(process.argv[2], [folder], { stdio: "inherit" });
	for (const check of [checkTypes, checkCompressed, checkCut, checkWide, checkBlob, checkLarge]) {
		await check(folder);
		console.log(`${check.name}: ok`);
	}
} finally {
	rmSync(folder, { recursive: true });
}
