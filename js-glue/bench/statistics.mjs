// Medians and what surrounds them. Runs are few and the machines are noisy: every figure is shown with its spread.
export function summaryOf(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const at = (share) => {
    const place = share * (sorted.length - 1), low = Math.floor(place);
    return sorted.length ? sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]) : NaN;
  };
  return { median: at(0.5), min: at(0), max: at(1), runs: sorted.length };
}

// One figure of each round, set against the same figure of another subject in the same round.
export function pairedRatio(rounds, read, subject, base) {
  return summaryOf(rounds.map((round) => read(round[subject]) / read(round[base])));
}

export function pairedDifference(rounds, read, subject, base) {
  return summaryOf(rounds.map((round) => read(round[subject]) - read(round[base])));
}

// xorshift32: the order of the subjects and the workload come from a seed, so that a run can be repeated.
export function randomOf(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13; state >>>= 0; state ^= state >>> 17; state ^= state << 5; state >>>= 0;
    return state / 2 ** 32;
  };
}

export function shuffled(list, random) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}
