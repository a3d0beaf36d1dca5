/** A guarded listener, and how to take it off again. Always passive and in the capture phase: we only watch. */
import type { Context } from "../observe/source";

export function listen<E extends Event>(
  { guard }: Context,
  target: EventTarget,
  type: string,
  take: (event: E) => void,
): () => void {
  const guarded = guard.wrap(take) as EventListener;
  const options = { capture: true, passive: true };
  target.addEventListener(type, guarded, options);
  return () => target.removeEventListener(type, guarded, options);
}
