// Medians and spread; differences are taken inside a round, where every subject met the same mood of the machine.
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length === 0 ? NaN : sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const summary = (values) => ({ median: median(values), min: Math.min(...values), max: Math.max(...values), count: values.length });

// rounds: [{ [subject]: { start, workload, bytes, requests } }]
export function compare(rounds, names) {
  return Object.fromEntries(names.map((name) => {
    const full = rounds.filter((round) => round[name] && round.none);
    return [name, {
      start: summary(full.map((round) => round[name].start - round.none.start)),
      workload: summary(full.map((round) => round[name].workload - round.none.workload)),
      bytes: summary(full.map((round) => round[name].bytes)),
      requests: summary(full.map((round) => round[name].requests)),
    }];
  }));
}
