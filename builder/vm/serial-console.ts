import { randomBytes } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import { StepError } from "../../format/errors.ts";
import type { SerialLine } from "./serial-line.ts";

export interface ConsoleLine {
  text: string;
  /** performance.now() when its first character arrived. */
  atMs: number;
}

interface Waiter {
  onText: () => void;
  onEnd: () => void;
}

const shownLines = 25;

/**
 * A guest's serial line, for scripts: wait for text, type, run commands. What was waited for is consumed, so a later wait
 * does not find it again.
 */
export class SerialConsole {
  readonly lines: ConsoleLine[] = [];
  readonly #input: SerialLine["input"];
  #text = "";
  /** Where the next wait starts to look. */
  #position = 0;
  #partial: ConsoleLine | undefined;
  /** Start of the last line that was searched. */
  #searchedTo = 0;
  #waiter: Waiter | undefined;
  #isEnded = false;

  constructor({ input, output }: SerialLine, onLine: (line: ConsoleLine) => void = () => {}) {
    this.#input = input;
    input.on("error", () => {});
    output.setEncoding("utf8");
    output.on("data", (chunk) => this.#receive(String(chunk), onLine));
    output.on("error", () => {});
    output.on("close", () => {
      input.destroy();
      this.#isEnded = true;
      this.#waiter?.onEnd();
    });
  }

  /** The end of what the guest wrote, control characters removed. */
  tail(count = shownLines): string {
    const lines = this.lines.slice(-count).map((line) => line.text);
    return [...lines, this.#partial?.text ?? ""].join("\n").trimEnd();
  }

  /** Everything the guest wrote since `position()` said so; for checks after the fact. */
  textSince(position: number): string {
    return this.#text.slice(position);
  }

  position(): number {
    return this.#text.length;
  }

  /**
   * Resolves with the first match in what was not consumed yet. `pattern` must not be global, and what it matches must lie
   * within two adjoining lines, so that a long log is not searched again for every character that arrives.
   */
  async waitFor(pattern: RegExp, seconds: number, what = String(pattern)): Promise<RegExpExecArray> {
    const found = this.#search(pattern, this.#position);
    if (found) return found;
    return new Promise((resolve, reject) => {
      const fail = (message: string): void => {
        this.#waiter = undefined;
        clearTimeout(timer);
        reject(new StepError(message, { hint: `The console's last lines:\n${this.tail()}` }));
      };
      const timer = setTimeout(
        () => fail(`The console did not show ${what} within ${seconds} s.`),
        seconds * 1000,
      );
      this.#waiter = {
        onText: () => {
          const match = this.#search(
            pattern,
            Math.max(this.#position, this.#text.lastIndexOf("\n", this.#searchedTo - 1) + 1),
          );
          if (!match) return;
          this.#waiter = undefined;
          clearTimeout(timer);
          resolve(match);
        },
        onEnd: () => fail(`The virtual machine ended while waiting for ${what}.`),
      };
      if (this.#isEnded) this.#waiter.onEnd();
    });
  }

  /** Text and a line feed, as a person would; another `end` for a menu that takes single keys. */
  type(text: string, end = "\n"): void {
    this.#input.write(`${text}${end}`);
  }

  /** Waits for a login prompt and answers it. */
  async logIn(user: string, password: string, seconds: number): Promise<void> {
    await this.waitFor(/login: $/m, seconds, "a login prompt");
    await this.logInAtPrompt(user, password);
  }

  /** Answers the login prompt that is on the screen, and prepares the shell for `run`. */
  async logInAtPrompt(user: string, password: string): Promise<void> {
    this.type(user);
    await this.waitFor(/[Pp]assword: ?$/m, 60, "the password prompt");
    this.type(password);
    const answer = await this.waitFor(/[#$>] $|Login incorrect/m, 90, "a shell prompt");
    if (answer[0] === "Login incorrect")
      throw new StepError(`The console does not let ${user} in with this password.`, {
        hint: "Give the login with --user and --password-file.",
      });
    // Kernel messages and a line editor's escape sequences would land in the middle of command output.
    this.type("set +o emacs +o vi; stty -echo cols 200; PS1=; PS2=; dmesg -n 1");
    const word = newWord();
    this.type(`echo ${split(word)}`);
    await this.waitFor(new RegExp(`^${word}\\r?\\n`, "m"), 60, "an answer of the shell");
  }

  /** Runs one command line in the shell; output is what stands between the two marks, stdout and stderr together. */
  async run(command: string, seconds = 60): Promise<{ exitCode: number; output: string }> {
    const word = newWord();
    this.type(
      `echo ${split(word)}-begin; ${command}; dualroot_exit=$?; echo; echo ${split(word)}-end $dualroot_exit`,
    );
    await this.waitFor(new RegExp(`${word}-begin\\r?\\n`), seconds, `the start of "${command}"`);
    const begin = this.#position;
    const match = await this.waitFor(
      new RegExp(`^${word}-end (\\d+)\\r?\\n`, "m"),
      seconds,
      `the end of "${command}"`,
    );
    const output = this.#text.slice(begin, this.#position - match[0].length);
    return { exitCode: Number(match[1]), output: clean(output).trimEnd() };
  }

  #receive(chunk: string, onLine: (line: ConsoleLine) => void): void {
    const atMs = performance.now();
    this.#text += chunk;
    let rest = chunk;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const line = {
        text: clean((this.#partial?.text ?? "") + rest.slice(0, end)),
        atMs: this.#partial?.atMs ?? atMs,
      };
      this.lines.push(line);
      onLine(line);
      this.#partial = undefined;
      rest = rest.slice(end + 1);
    }
    if (rest !== "")
      this.#partial = { text: (this.#partial?.text ?? "") + rest, atMs: this.#partial?.atMs ?? atMs };
    this.#waiter?.onText();
    this.#searchedTo = this.#text.lastIndexOf("\n") + 1;
  }

  /** Finds, and consumes up to the end of the match. */
  #search(pattern: RegExp, from: number): RegExpExecArray | undefined {
    const match = pattern.exec(this.#text.slice(from));
    if (!match) return undefined;
    this.#position = from + match.index + match[0].length;
    return match;
  }
}

function clean(text: string): string {
  return stripVTControlCharacters(text).replaceAll("\r", "");
}

function newWord(): string {
  return `mark-${randomBytes(6).toString("hex")}`;
}

/** The shell joins the halves, so that an echo of the typed line is not taken for its output. */
function split(word: string): string {
  return `${word.slice(0, 3)}""${word.slice(3)}`;
}
