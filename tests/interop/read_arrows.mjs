// read_arrows.mjs: reads .arrows files with apache-arrow, a reader that shares no code with ENRGDAQ, and prints one
// JSON object a file: schema, rows, sums, first and last values, and which sequences of which table it found.
//
//   node read_arrows.mjs [--batches] FILE…      (--batches lists each batch with its custom metadata)
//
// Values of 64-bit columns and sums of integers are strings, for they may pass 2^53. Exit code: 0 every file was read
// to its end, 1 one of them ended in an error ("error" in its object; what stands before it is counted).
import { createReadStream } from "node:fs";
import { pathToFileURL } from "node:url";
import { DataType, RecordBatchReader } from "apache-arrow";

const SHOWN_ITEMS = 16;

function describeField(field) {
	const list = DataType.isList(field.type);
	return {
		name: field.name,
		type: list ? "List" : field.type.toString(),
		item: list ? field.type.children[0].type.toString() : null,
		item_name: list ? field.type.children[0].name : null,
		nullable: field.nullable,
		unit: field.metadata.get("unit") ?? null,
	};
}

function showValue(value) {
	if (typeof value === "bigint")
		return value.toString();
	if (value instanceof Uint8Array)
		return Buffer.from(value.subarray(0, SHOWN_ITEMS)).toString("hex");
	if (value !== null && typeof value === "object")
		return Array.from(value.slice(0, SHOWN_ITEMS), showValue);
	return value;
}

// Numbers that a column of this type holds, as they lie in memory: bytes for text, items for lists.
function flatValues(data) {
	if (DataType.isList(data.type)) {
		const item = data.children[0];
		return item.values.subarray(data.valueOffsets[0], data.valueOffsets[data.length] ?? 0);
	}
	if (DataType.isUtf8(data.type) || DataType.isBinary(data.type))
		return data.values.subarray(data.valueOffsets?.[0] ?? 0, data.valueOffsets?.[data.length] ?? 0);
	return data.values.subarray(0, data.length);
}

function isFloat(type) {
	return DataType.isFloat(DataType.isList(type) ? type.children[0].type : type);
}

function addColumn(column, vector) {
	const data = vector.data[0];
	if (vector.length === 0)
		return;
	column.count += vector.length;
	column.nulls += vector.nullCount;
	if (column.first === undefined)
		column.first = showValue(vector.get(0));
	column.last = showValue(vector.get(vector.length - 1));
	if (DataType.isBool(data.type)) {
		for (let row = 0; row < vector.length; row++)
			column.sum += vector.get(row) ? 1n : 0n;
		return;
	}
	const values = flatValues(data);
	column.items += values.length;
	if (isFloat(data.type)) {
		column.sum = values.reduce((sum, value) => sum + value, column.sum);
	} else if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
		for (const value of values)
			column.sum += value;
	} else {
		let sum = 0; // exact: 2^21 values of 32 bits stay below 2^53
		for (let at = 0; at < values.length; at++) {
			sum += values[at];
			if ((at & 0xfffff) === 0xfffff) {
				column.sum += BigInt(sum);
				sum = 0;
			}
		}
		column.sum += BigInt(sum);
	}
}

function addSequence(tables, metadata) {
	const key = ["source", "run", "tag"].map((name) => metadata.get("enrgdaq." + name));
	if (key.includes(undefined))
		return;
	const id = JSON.stringify(key);
	const sequence = BigInt("0x" + metadata.get("enrgdaq.sequence"));
	let table = tables.get(id);
	if (!table) {
		table = {
			source: key[0], run: key[1], tag: key[2], count: 0, gaps: 0,
			first: sequence, last: sequence - 1n, is_contiguous: true,
		};
		tables.set(id, table);
	}
	table.count++;
	table.gaps += metadata.get("enrgdaq.kind") === "gap " ? 1 : 0;
	table.is_contiguous &&= sequence === table.last + 1n;
	table.last = sequence;
}

export async function readArrows(path, listBatches = false) {
	const result = {
		file: path, error: null, metadata: {}, fields: [], batch_count: 0, rows: 0, columns: {}, tables: [],
	};
	const tables = new Map();
	const columns = [];
	if (listBatches)
		result.batches = [];
	try {
		const reader = await RecordBatchReader.from(createReadStream(path));
		await reader.open();
		result.metadata = Object.fromEntries(reader.schema.metadata);
		result.fields = reader.schema.fields.map(describeField);
		for (const field of reader.schema.fields)
			columns.push({ count: 0, nulls: 0, items: 0, sum: isFloat(field.type) ? 0 : 0n });
		for await (const batch of reader) {
			result.batch_count++;
			result.rows += batch.numRows;
			columns.forEach((column, index) => addColumn(column, batch.getChildAt(index)));
			addSequence(tables, batch.metadata);
			if (listBatches)
				result.batches.push({ rows: batch.numRows, metadata: Object.fromEntries(batch.metadata) });
		}
	} catch (error) {
		result.error = String(error.message ?? error);
	}
	columns.forEach((column, index) => {
		column.sum = showValue(column.sum);
		column.first ??= null;
		column.last ??= null;
		result.columns[result.fields[index].name] = column;
	});
	result.tables = Array.from(tables.values(), (table) =>
		({ ...table, first: Number(table.first), last: Number(table.last) }));
	return result;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
	const listBatches = process.argv.includes("--batches");
	const files = process.argv.slice(2).filter((argument) => argument !== "--batches");
	if (files.length === 0) {
		console.error("usage: node read_arrows.mjs [--batches] FILE…");
		process.exit(2);
	}
	for (const file of files) {
		const result = await readArrows(file, listBatches);
		console.log(JSON.stringify(result));
		if (result.error)
			process.exitCode = 1;
	}
}
