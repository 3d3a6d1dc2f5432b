// read_histograms.mjs: read_histograms.mjs FILE.root FILE.json…: the histograms of a .root file as jsroot reads them, a line
// each: name, class, entries, all cells; then each JSON as it is parsed and drawn.
import { openFile } from "jsroot/io";
import { parse, settings } from "jsroot/core";
import { makeSVG } from "jsroot";
import { readFileSync } from "node:fs";

settings.IgnoreUrlOptions = true;

const [root, ...texts] = process.argv.slice(2);
const file = await openFile(root);
for (const key of file.fKeys) {
	if (key.fName === "StreamerInfo")
		continue;
	const histogram = await file.readObject(key.fName);
	console.log(key.fName, histogram._typename, histogram.fEntries, Array.from(histogram.fArray).join(" "));
	if ((await makeSVG({ object: histogram, width: 300, height: 200 })).length < 1000)
		throw new Error(`${key.fName}: nothing was drawn`);
}
for (const text of texts) {
	const histogram = parse(readFileSync(text, "utf8"));
	const svg = await makeSVG({ object: histogram, width: 300, height: 200, option: "colz" });
	if (svg.length < 1000)
		throw new Error(`${text}: nothing was drawn`);
	console.log("drawn", histogram.fName, histogram._typename);
}
