/** The first index whose value is ≥ `t`, in a list that rises; its length where there is none. */
export function firstAt(values: ArrayLike<number>, t: number): number;
export function firstAt<T>(values: ArrayLike<T>, t: number, read: (item: T) => number): number;
export function firstAt<T>(values: ArrayLike<T>, t: number, read = (item: T) => item as number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (read(values[middle] as T) < t) low = middle + 1;
    else high = middle;
  }
  return low;
}
