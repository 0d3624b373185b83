// Refreshes and downloads with npm's tuf-js: reads a JSON object from each line of standard input, prints one to each
// line of standard output. Its argument is the directory that holds node_modules.
//
// Read: metadataDir (with root.json in it), metadataUrl, targetUrl, targetDir, paths. Printed: {targets: [[path, {file} |
// {refused} | null], ...]} or {refused: "..."}: null where no role lists the path, `refused` where the client would not
// have it.

import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

// tuf-js is installed beside the checkout's other build products, not beside this file.
const { Updater } = createRequire(join(resolve(process.argv[2]), "here.js"))("tuf-js");

async function read(updater, path, place) {
  const target = await updater.getTargetInfo(path);
  return target ? { file: await updater.downloadTarget(target, place) } : null;
}

async function answer(question) {
  const updater = new Updater({
    metadataDir: question.metadataDir,
    metadataBaseUrl: question.metadataUrl,
    targetDir: question.targetDir,
    targetBaseUrl: question.targetUrl,
    config: { fetchRetry: false, fetchTimeout: 10000 },
  });
  await updater.refresh();
  const targets = [];
  for (const [number, path] of question.paths.entries()) {
    const place = join(question.targetDir, String(number));
    targets.push([path, await read(updater, path, place).catch((error) => ({ refused: String(error) }))]);
  }
  return { targets };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line)).catch((error) => ({ refused: String(error) }))));
}
