import type { ToPage } from "../worker/protocol";

const ANSWER_MS_MAX = 5000;

/** The worker's next message; undefined when it cannot be asked, fails, or says nothing for too long. */
export function answerOf(worker: Worker, ask: () => void = () => {}): Promise<ToPage | undefined> {
  return new Promise((resolve) => {
    const finish = (answer?: ToPage) => {
      clearTimeout(timer);
      worker.onmessage = worker.onerror = null;
      resolve(answer);
    };
    const timer = setTimeout(finish, ANSWER_MS_MAX);
    worker.onmessage = ({ data }: MessageEvent<ToPage>) => finish(data);
    worker.onerror = (event) => {
      event.preventDefault();
      finish();
    };
    try {
      ask();
    } catch {
      // DataCloneError: this page may not share memory.
      finish();
    }
  });
}
