// read_root.mjs: reads .root files with jsroot, a reader that shares no code with ENRGDAQ, and prints every cell.
//
//   node read_root.mjs FILE…        a table a tree (or RNTuple), in the order of the files:
//     table NAME CLASS ROWS COLUMNS, then a line a column: its name, then ROWS × COLUMNS lines, row by row:
//     "i 12", "b 1", "f 16 hex digits of the IEEE double", "s hex of the UTF-8", "l item item…" (items as above),
//     "h hex" where a list is of more than 4096 bytes
//   node read_root.mjs --rows FILE…  a line a file: the rows of its trees, or "error TEXT"
//   node read_root.mjs --cut FILE N STEP  such a line for the file as it is, then for each STEPth length down to N, to which
//     it is cut
//   node read_root.mjs --served      the same for paths that come on standard input, one a line, until its end
//   node read_root.mjs --tables      the tables of all files of a line of standard input (tabs in between), then a line
//     "end 0", or "end 1" where one can't be read; until its end
//
// Exit code 1: a file can't be read.
import { openFile, TBuffer } from "jsroot/io";
import { treeProcess, TSelector } from "jsroot/tree";
import { readHeaderFooter, rntupleProcess } from "jsroot/rntuple";
import { statSync, truncateSync } from "node:fs";
import { createInterface } from "node:readline";
import { settings } from "jsroot/core";

if (settings)
	settings.IgnoreUrlOptions = true;

// jsroot rounds the 64-bit values of RNTuples to doubles with Number(): let pass what a double can't hold.
const number = Number;

function exactNumber(value) {
	const rounded = number(value);
	return typeof value !== "bigint" || number.isSafeInteger(rounded) ? rounded : value;
}
exactNumber.prototype = number.prototype;
globalThis.Number = Object.setPrototypeOf(exactNumber, number); // Number.isInteger and the like

// jsroot reads a negative integer of 64 bits whose lower half is below 2^31 as one that is 2^32 too large.
TBuffer.prototype.ntoi8 = function () {
	const value = this.arr.getBigInt64(this.o);
	this.o += 8;
	return number.isSafeInteger(number(value)) ? number(value) : value;
};

const real = new DataView(new ArrayBuffer(8));

function hexOfReal(value) {
	real.setFloat64(0, value);
	return real.getBigUint64(0).toString(16).padStart(16, "0");
}

// jsroot gives text as one character a byte; from RNTuples as a signed one.
function hexOfText(value) {
	return Buffer.from(Array.from({ length: value.length }, (_, at) => value.charCodeAt(at) & 0xff)).toString("hex");
}

function formatItem(value, kind) {
	if (kind === "f")
		return hexOfReal(value);
	if (kind === "b")
		return value ? "1" : "0";
	return value.toString();
}

function formatCell(value, column) {
	if (column.isBytes && value?.length > 4096)
		return "h " + Buffer.from(value).toString("hex");
	if (column.isList)
		return `l${Array.from(value ?? [], (item) => " " + formatItem(item, column.kind)).join("")}`;
	if (column.kind === "s")
		return "s " + hexOfText(value);
	return `${column.kind} ${formatItem(value, column.kind)}`;
}

function describeBranch(branch) {
	const leaf = branch.fLeaves.arr[0];
	const kinds = { TLeafF: "f", TLeafD: "f", TLeafO: "b", TLeafC: "s" };
	const isList = leaf.fLeafCount !== null;
	const isBytes = isList && leaf._typename === "TLeafB" && leaf.fIsUnsigned;
	return { name: branch.fName, kind: kinds[leaf._typename] ?? "i", isList, isBytes, leaf };
}

function describeField(field, fields) {
	const type = field.typeName;
	const item = type.match(/^std::vector<(.*)>$/)?.[1] ?? type;
	const kinds = { "float": "f", "double": "f", "bool": "b", "std::string": "s" };
	const isBytes = item !== type && item === "std::uint8_t";
	return { name: field.fieldName, kind: kinds[item] ?? "i", isList: item !== type, isBytes };
}

async function readTable(object, columns, process) {
	const rows = [];
	const selector = new TSelector();
	columns.forEach((column, index) => selector.addBranch(column.name, `c${index}`));
	selector.Process = function () {
		rows.push(columns.map((column, index) => formatCell(this.tgtobj[`c${index}`], column)));
	};
	await process(object, selector);
	return rows;
}

async function readTree(tree) {
	const all = tree.fBranches.arr.map(describeBranch);
	const counters = new Set(all.map((column) => column.leaf.fLeafCount?.fName));
	const columns = all.filter((column) => !counters.has(column.name));
	const rows = tree.fEntries > 0 ? await readTable(tree, columns, treeProcess) : [];
	if (rows.length !== Number(tree.fEntries))
		throw new Error(`${tree.fName}: ${tree.fEntries} rows are told, ${rows.length} are there`);
	return { columns, rows };
}

async function readTuple(tuple) {
	const builder = await readHeaderFooter(tuple);
	const fields = builder.fieldDescriptors.filter((field, index) => field.parentFieldId === index);
	const columns = fields.map(describeField);
	const told = (builder.clusterSummaries ?? []).reduce((sum, summary) => sum + Number(summary.numEntries), 0);
	const rows = told > 0 ? await readTable(tuple, columns, rntupleProcess) : [];
	if (rows.length !== told)
		throw new Error(`${tuple.fName}: ${told} rows are told, ${rows.length} are there`);
	return { columns, rows };
}

// Bytes of the file as jsroot wants them; the whole of it only when it is small.
async function readFile(path) {
	const file = await openFile(path);
	const tables = [];
	if (!file)
		throw new Error("jsroot can't open it");
	for (const key of file.fKeys) {
		if (key.fClassName !== "TTree" && key.fClassName !== "ROOT::RNTuple")
			continue;
		const object = await file.readObject(`${key.fName};${key.fCycle}`);
		if (!object)
			throw new Error(`jsroot can't read ${key.fName}`);
		const isTree = key.fClassName === "TTree";
		const { columns, rows } = await (isTree ? readTree(object) : readTuple(object));
		tables.push({ name: key.fName, class: key.fClassName, columns, rows });
	}
	return tables;
}

function printTables(tables) {
	const lines = [];
	for (const table of tables) {
		lines.push(`table ${table.name} ${table.class} ${table.rows.length} ${table.columns.length}`);
		lines.push(...table.columns.map((column) => column.name));
		for (const row of table.rows)
			lines.push(...row);
	}
	process.stdout.write(lines.map((line) => line + "\n").join(""));
}

async function printRows(path) {
	try {
		const tables = await readFile(path);
		console.log(tables.map((table) => table.rows.length).join(" "));
	} catch (error) {
		console.log(`error ${String(error?.message ?? error).replaceAll("\n", " ")}`);
		process.exitCode = 1;
	}
}

async function printFiles(paths) {
	let isGood = true;
	for (const path of paths) {
		try {
			printTables(await readFile(path));
		} catch (error) {
			console.log(`error ${path}: ${String(error?.message ?? error).replaceAll("\n", " ")}`);
			isGood = false;
		}
	}
	return isGood;
}

console.warn = () => {}; // jsroot's own remarks would mix with the output
console.error = console.error.bind(console);
const [first, ...rest] = process.argv.slice(2);
if (first === "--rows") {
	for (const path of rest)
		await printRows(path);
} else if (first === "--cut") {
	for (let count = statSync(rest[0]).size; count >= number(rest[1]); count -= number(rest[2])) {
		truncateSync(rest[0], count);
		await printRows(rest[0]);
	}
} else if (first === "--served") {
	for await (const path of createInterface({ input: process.stdin }))
		await printRows(path);
} else if (first === "--tables") {
	for await (const line of createInterface({ input: process.stdin })) {
		const isGood = await printFiles(line.split("\t"));
		process.stdout.write(`end ${isGood ? 0 : 1}\n`);
	}
} else if (!await printFiles(process.argv.slice(2))) {
	process.exitCode = 1;
}
