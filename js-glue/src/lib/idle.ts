import { whenIdle } from "./when_idle";

export function idle(timeoutMs: number): Promise<void> {
  return new Promise((resolve) => whenIdle(resolve, timeoutMs));
}
