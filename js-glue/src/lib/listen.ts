/** A guarded listener, and how to take it off before all others. Always passive and in the capture phase: we only watch. */
import type { Context } from "../observe/source";

export function listen<E extends Event>(
  { guard, stops }: Context,
  target: EventTarget,
  type: string,
  take: (event: E) => void,
): () => void {
  const guarded = guard.wrap(take) as EventListener;
  const options = { capture: true, passive: true };
  target.addEventListener(type, guarded, options);
  const off = () => target.removeEventListener(type, guarded, options);
  stops.push(off);
  return off;
}
