/** What the panel shows of the entries: counted by kind as they are pushed, and the latest of them. */
import { InboxKind } from "../abi";
import type { Queue } from "../lib/queue";

const LATEST_MAX = 40;

const NAMES: Partial<Record<InboxKind, string>> = {
  [InboxKind.VIEW]: "view",
  [InboxKind.NAVIGATION]: "navigation",
  [InboxKind.RESOURCE]: "resource",
  [InboxKind.PAINT]: "paint",
  [InboxKind.LARGEST_PAINT]: "largest paint",
  [InboxKind.LAYOUT_SHIFT]: "layout shift",
  [InboxKind.EVENT]: "event",
  [InboxKind.LONG_TASK]: "long task",
  [InboxKind.LONG_FRAME]: "long frame",
  [InboxKind.USER_TIMING]: "user timing",
  [InboxKind.VISIBILITY]: "visibility",
  [InboxKind.ERROR]: "error",
  [InboxKind.CUSTOM_EVENT]: "custom event",
  [InboxKind.CUSTOM_METRIC]: "custom metric",
  [InboxKind.CALL]: "call",
  [InboxKind.ELEMENT]: "element",
  [InboxKind.SOFT_NAVIGATION]: "soft navigation",
  [InboxKind.INTERACTION_PAINT]: "interaction paint",
  [InboxKind.NOT_RESTORED]: "not restored",
  [InboxKind.MEMORY_MEASUREMENT]: "memory",
  [InboxKind.CLICK_PATTERN]: "click pattern",
};

export interface Latest {
  readonly kind: string;
  readonly time: number;
  readonly text: string;
}

export class Tally {
  readonly counts = new Map<string, number>();
  readonly latest: Latest[] = [];

  /** `isOwn`: entries about the panel itself, which are none of the page's and go no further. */
  constructor(queue: Queue, isOwn: (item: unknown) => boolean) {
    const push = queue.push.bind(queue);
    for (const [kind, item] of queue.items) this._add(kind, item);
    queue.push = (kind, item, extra) => {
      if (isOwn(item)) return;
      this._add(kind, item);
      push(kind, item, extra);
    };
  }

  private _add(kind: InboxKind, item: unknown): void {
    const name = NAMES[kind];
    if (!name) return;
    const around = (item ?? {}) as Record<string, unknown>;
    const entry = (around.entry ?? around) as Record<string, unknown>;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    const time = Number(entry.startTime ?? entry.time ?? entry.start ?? 0);
    const text = String(entry.name || entry.message || entry.url || entry.type || "");
    this.latest.push({ kind: name, time, text });
    if (this.latest.length > LATEST_MAX) this.latest.shift();
  }
}
