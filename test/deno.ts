/** Deno's binary, as npm installs it: the shell around it would keep signals to itself. */
const platform = `${process.platform}-${process.arch}${process.platform === "linux" ? "-glibc" : ""}`;
export const DENO = new URL(`../node_modules/@deno/${platform}/deno`, import.meta.url).pathname;
