/**
 * Pages that were left before the core was there: what they had seen is gone, and must not be gone silently. The next
 * page of the tab reports one beacon each as lost. With Global Privacy Control nothing is stored, so nothing is counted.
 */
const KEY = "vitrace.left";

export function isPrivate(): boolean {
  return !!(navigator as Navigator & { globalPrivacyControl?: boolean }).globalPrivacyControl;
}

/** Beacons that the next page of the tab will report as lost. */
export function addLeft(count: number): void {
  try {
    if (!isPrivate()) sessionStorage[KEY] = Math.max(+(sessionStorage[KEY] ?? 0) + count, 0);
  } catch {
    // The page has no storage.
  }
}

/** How many there were since the last call. */
export function takeLeft(): number {
  try {
    const count = +(sessionStorage[KEY] ?? 0);
    delete sessionStorage[KEY];
    return count;
  } catch {
    return 0;
  }
}
