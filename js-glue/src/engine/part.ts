import type { Part } from "../hand_over";
import type { Watch } from "../watch";

/** What a file that only some pages need gives; rejects where it is refused. */
export function part<T extends Part>(watch: Watch, name: string, integrity: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const script = watch.load!(name, integrity);
    script.got = resolve as (part: Part) => void;
    // Loaded without having called us: it is of another version, or the SDK is off.
    script.onload = script.onerror = () => reject(new Error(`cannot load vitrace-${name}.js`));
  });
}
