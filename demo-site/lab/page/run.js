// Runs subjects one after the other, each in a fresh frame.
const TIMEOUT_MS = 60000;
const AFTER_MS = 300; // beacons of the leaving frame arrive

function shuffled(list) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

export async function runOne(subject, seed) {
  const run = crypto.randomUUID().replaceAll("-", "");
  const frame = document.createElement("iframe");
  frame.className = "run";
  frame.title = `a run of ${subject}`;
  const result = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${subject} did not finish in ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
    const take = (event) => {
      if (event.source !== frame.contentWindow || event.data?.lab !== "done") return;
      clearTimeout(timer);
      removeEventListener("message", take);
      resolve(event.data);
    };
    addEventListener("message", take);
  });
  frame.src = `/lab/frame/${subject}/${run}/${seed}`;
  document.getElementById("stage").append(frame);
  try {
    const { start, workload, entries } = await result;
    frame.remove();
    await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
    const counts = await (await fetch(`/lab/counts/${run}`)).json();
    return { start, workload, entries, ...counts };
  } finally {
    frame.remove();
  }
}

// One warm-up run that is not counted, then `count` rounds, each in an order of its own.
export async function runRounds(names, count, seed, progress) {
  const rounds = [];
  await runOne("none", seed);
  for (let n = 0; n < count; n++) {
    const round = {};
    for (const name of shuffled(names)) {
      progress({ round: n + 1, count, name, rounds });
      round[name] = await runOne(name, seed + n);
    }
    rounds.push(round);
    progress({ round: n + 1, count, name: undefined, rounds });
  }
  return rounds;
}
