// Asks the control API whether the process lives; in real mode it does, and says why it refuses.
const port = process.env.BACKLOT_PORT || "4100";
const response = await fetch(`http://127.0.0.1:${port}/_backlot/live`).catch(() => undefined);
process.exit(response?.ok ? 0 : 1);
