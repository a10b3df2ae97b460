// Knows nothing of Backlot: a mail through nodemailer.
import nodemailer from "nodemailer";

const { SMTP_HOST, SMTP_PORT } = process.env;
const transport = nodemailer.createTransport({ host: SMTP_HOST, port: Number(SMTP_PORT) });
const { response } = await transport.sendMail({
  from: "app@example.test",
  to: "you@example.test",
  subject: "Hello",
  text: "It works.",
});
console.log(JSON.stringify({ response }));
