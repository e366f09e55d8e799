#!/usr/bin/env node
// The command as Node starts it. In old syntax: an older Node reads this file, and not even the first line of the program.
const version = process.versions.node;
if (Number.parseInt(version, 10) >= 20) import("./main.js");
else {
  console.error(`chatpeer: Node.js 20 or later is needed, this is ${version}`);
  process.exitCode = 2;
}
