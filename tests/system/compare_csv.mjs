// compare_csv.mjs: is a CSV file, row by row, what an .arrows file holds? Read with apache-arrow and a line splitter.
//   node compare_csv.mjs FILE.arrows FILE.csv      columns of float64; exit code 1 and the first difference
import { createReadStream, openSync, readSync } from "node:fs";
import { RecordBatchReader } from "apache-arrow";

const [arrows, csv] = process.argv.slice(2);

function* lines(path) {
	const file = openSync(path, "r");
	const chunk = Buffer.alloc(1 << 20);
	let rest = "";
	for (let got; (got = readSync(file, chunk)) > 0; ) {
		const parts = (rest + chunk.toString("latin1", 0, got)).split("\n");
		rest = parts.pop();
		yield* parts;
	}
	if (rest) yield rest;
}

function fail(text) {
	console.error(`compare_csv: ${text}`);
	process.exit(1);
}

const rows = lines(csv);
let count = 0;
const reader = await RecordBatchReader.from(createReadStream(arrows));
await reader.open();
const names = reader.schema.fields.map((field) => field.name);
const header = rows.next().value;
if (header !== names.join(",")) fail(`header "${header}", expected "${names.join(",")}"`);
for await (const batch of reader) {
	const columns = names.map((_, index) => batch.getChildAt(index));
	for (let row = 0; row < batch.numRows; row++) {
		const line = rows.next();
		count++;
		if (line.done) fail(`the CSV ends before row ${count}`);
		const values = line.value.split(",").map(Number);
		columns.forEach((column, index) => {
			if (values[index] !== column.get(row))
				fail(`row ${count}, ${names[index]}: ${values[index]} in the CSV, ${column.get(row)} in the .arrows`);
		});
	}
}
const left = rows.next();
if (!left.done) fail(`the CSV goes on after row ${count}: "${left.value}"`);
if (count === 0) fail("no rows at all");
console.log(`${csv}: ${count} rows, the same in both`);
