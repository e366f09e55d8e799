/** The signals by which a terminal or an operator asks this process to leave. */
export function onSignals(handler: (signal: string) => void): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => handler(signal));
}
