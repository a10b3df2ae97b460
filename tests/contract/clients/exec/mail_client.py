"""Knows nothing of Backlot: a mail through the standard library."""
import json
import os
import smtplib
from email.message import EmailMessage

mail = EmailMessage()
mail["From"], mail["To"], mail["Subject"] = "app@example.test", "you@example.test", "Hello"
mail.set_content("It works.")
with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"])) as server:
    refused = server.send_message(mail)
print(json.dumps({"refused": len(refused)}))
