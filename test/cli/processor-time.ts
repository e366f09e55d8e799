/** Milliseconds of processor time that something takes: what else the machine does meanwhile is not counted. */
export function processorMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
