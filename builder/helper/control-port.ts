import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { StepError } from "../../format/errors.ts";

/** The port over which requests go out and answers come back, a line each. */
export class ControlPort {
  readonly #socket: Socket;
  readonly #answers: string[] = [];
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;
  #isOver = false;
  readonly #lastWords: () => string;

  /** `lastWords`: what the machine's console says, for when it ends unasked. */
  constructor(socket: Socket, lastWords: () => string) {
    this.#socket = socket;
    this.#lastWords = lastWords;
    const lines = createInterface({ input: socket }).on("line", (line) => this.#receive(line));
    // A machine that is killed resets the connection; readline hands that on. "close" follows.
    for (const emitter of [socket, lines]) emitter.on("error", () => {});
    socket.on("close", () => {
      this.#isOver = true;
      this.#waiting?.reject(this.#ended());
      this.#waiting = undefined;
    });
  }

  send(line: string): void {
    this.#socket.write(line);
  }

  /** The words after `verb` of the next answer. */
  async expect(verb: string, seconds: number): Promise<string[]> {
    const line = await this.#next(seconds);
    const [first, ...words] = line.split(" ").filter(Boolean);
    if (first === verb) return words;
    throw new StepError(`The helper answers "${line.slice(0, 200)}" instead of "${verb}".`);
  }

  #next(seconds: number): Promise<string> {
    const line = this.#answers.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.#isOver) return Promise.reject(this.#ended());
    return new Promise((resolve, reject) => {
      const timer = Number.isFinite(seconds)
        ? setTimeout(() => {
            this.#waiting = undefined;
            reject(
              new StepError(`The helper gave no answer within ${seconds} s.`, {
                hint: `Its console's last lines:\n${this.#lastWords()}`,
              }),
            );
          }, seconds * 1000)
        : undefined;
      this.#waiting = {
        resolve: (line) => {
          clearTimeout(timer);
          resolve(line);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
    });
  }

  #receive(line: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting.resolve(line);
    else this.#answers.push(line);
  }

  #ended(): StepError {
    const words = this.#lastWords();
    return new StepError("The helper's virtual machine ended.", {
      hint:
        words === ""
          ? "Give it more memory with --memory if the command needs it."
          : `Its console's last lines:\n${words}`,
    });
  }
}
