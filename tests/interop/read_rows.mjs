// read_rows.mjs NAME FILE…: prints the rows of the table NAME of files of one kind as a CSV file has them, read with
// h5wasm (.h5) or jsroot (.root): "timestamp,A,B,C", numbers only. Exit code 1: a file can't be read, or has no such table.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import h5wasm from "h5wasm/node";

function readHdf5(path, name) {
	const file = new h5wasm.File(path, "r");
	const group = file.get(name);
	const columns = ["timestamp", "A", "B", "C"].map((column) => group.get(column).value);
	if (columns.some((column) => column.length !== columns[0].length))
		throw new Error(`${path}: columns of different lengths: ${columns.map((column) => column.length)}`);
	file.close();
	return Array.from(columns[0], (_, row) => columns.map((column) => column[row]).join(","));
}

// A line a cell behind the names of the columns (read_root.mjs).
function readRoot(paths, name) {
	const reader = fileURLToPath(new URL("read_root.mjs", import.meta.url));
	const lines = execFileSync(process.execPath, [reader, ...paths], { encoding: "utf8" }).split("\n");
	const rows = [];
	let at = 0;
	while (lines[at]) {
		const [, table, , count, width] = lines[at++].split(" ");
		const names = lines.slice(at, at += Number(width));
		for (let row = 0; row < Number(count); row++) {
			const cells = lines.slice(at, at += Number(width)).map((cell) => cell.slice(2));
			if (table === name)
				rows.push(["timestamp", "A", "B", "C"].map((column) => cells[names.indexOf(column)]).join(","));
		}
	}
	return rows;
}

await h5wasm.ready;
const [name, ...paths] = process.argv.slice(2);
const rows = paths[0].endsWith(".h5") ? paths.flatMap((path) => readHdf5(path, name)) : readRoot(paths, name);
process.stdout.write(rows.map((row) => row + "\n").join(""));
