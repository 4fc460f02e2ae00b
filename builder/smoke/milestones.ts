import { join } from "node:path";
import type { QmpClient } from "../vm/qmp.ts";
import { takeScreenshot } from "../vm/screenshot.ts";

/** Numbered screenshots: `1-old-login.png`. One that fails is left out; a picture is never worth a failed conversion. */
export class Milestones {
  readonly files: string[] = [];
  readonly #qmp: QmpClient;
  readonly #folder: string;

  constructor(qmp: QmpClient, folder: string) {
    this.#qmp = qmp;
    this.#folder = folder;
  }

  async take(name: string): Promise<void> {
    const file = `${this.files.length + 1}-${name}.png`;
    try {
      await takeScreenshot(this.#qmp, join(this.#folder, file));
      this.files.push(file);
    } catch {
      // The machine may just be restarting.
    }
  }
}
