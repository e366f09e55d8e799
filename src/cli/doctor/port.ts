/** Whether one could listen somewhere. */
import type { Network } from "../../host/contracts.ts";

export function portIsFree(network: Network, host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    network.listen(
      host,
      port,
      () => null,
      (_, listener) => {
        listener?.close();
        resolve(listener !== null);
      },
    );
  });
}
