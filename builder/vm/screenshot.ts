import type { QmpClient } from "./qmp.ts";

/** Photographs the machine's VGA screen as PNG. The machine needs `display: "vga"`. */
export async function takeScreenshot(qmp: QmpClient, file: string): Promise<void> {
  await qmp.execute("screendump", { filename: file, format: "png" });
}
