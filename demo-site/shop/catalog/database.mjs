// The shop's database: SQLite in one file, owned by this process alone. Every statement becomes a CLIENT span with the
// database attributes of the OpenTelemetry conventions, and adds to the time that the current request spent in SQL.
import { AsyncLocalStorage } from "node:async_hooks";
import { rmSync } from "node:fs";
import sqlite from "node-sqlite3-wasm";
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

const tracer = trace.getTracer("catalog.database");
const sqlMeter = new AsyncLocalStorage();

// Runs `work` and tells how many milliseconds of it were SQL.
export async function meterSql(work) {
  const meter = { ms: 0 };
  const result = await sqlMeter.run(meter, work);
  return { result, sqlMs: meter.ms };
}

export class Database {
  #handle;

  constructor(path) {
    // The driver locks by making a folder, which outlives a killed process. This service is the only one that opens the
    // file, so a lock found at start is always such a leftover.
    rmSync(`${path}.lock`, { recursive: true, force: true });
    this.#handle = new sqlite.Database(path);
    this.#handle.exec("PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000");
  }

  exec(sql) {
    this.#handle.exec(sql);
  }

  all(summary, sql, values = []) {
    return this.#traced(summary, sql, () => this.#handle.all(sql, values));
  }

  get(summary, sql, values = []) {
    return this.#traced(summary, sql, () => this.#handle.get(sql, values) ?? undefined);
  }

  run(summary, sql, values = []) {
    return this.#traced(summary, sql, () => this.#handle.run(sql, values));
  }

  close() {
    this.#handle.close();
  }

  // `summary` is the low-cardinality span name: an operation and its table, such as "SELECT products".
  #traced(summary, sql, work) {
    const attributes = {
      "db.system.name": "sqlite",
      "db.operation.name": summary.split(" ")[0],
      "db.collection.name": summary.split(" ")[1],
      "db.query.summary": summary,
      "db.query.text": sql,
    };
    return tracer.startActiveSpan(summary, { kind: SpanKind.CLIENT, attributes }, (span) => {
      const start = performance.now();
      try {
        return work();
      } catch (error) {
        span.recordException(error);
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
        throw error;
      } finally {
        const meter = sqlMeter.getStore();
        if (meter) meter.ms += performance.now() - start;
        span.end();
      }
    });
  }
}
