"""Opens a page in headless Chromium and keeps it open over some steps, over Chromium's debugging pipe.

Argument: a JSON object with `chromium`, `profile` (a folder), `url` and `steps`. A step has a `wait` (an expression that
must become true within `seconds`), and may have `width`, `height`, `dark`, `evaluate` (an expression whose value is
reported) and `picture` (a file to write). Writes a line of JSON for each step, then one with all that the console said.
"""

import base64
import json
import os
import subprocess
import sys
import time


class Browser:
    def __init__(self, program, profile):
        to_browser, self.commands = os.pipe()
        self.answers, from_browser = os.pipe()
        os.set_inheritable(to_browser, True)
        os.set_inheritable(from_browser, True)

        def descriptors():
            # Away from 3 and 4 first, whichever numbers the pipes have.
            first, second = os.dup(to_browser), os.dup(from_browser)
            high = [os.dup2(first, 40), os.dup2(second, 41)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--disable-extensions", "--disable-background-networking", "--hide-scrollbars",
                f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=descriptors,
            close_fds=False,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self.buffer = b""
        self.number = 0
        self.console = []
        self.session = None

    def receive(self):
        while b"\0" not in self.buffer:
            chunk = os.read(self.answers, 1 << 16)
            if not chunk:
                raise SystemExit("chromium has gone")
            self.buffer += chunk
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.console.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
        elif method == "Log.entryAdded":
            self.console.append(params["entry"]["text"] + " " + params["entry"].get("url", ""))
        return message

    def call(self, method, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.commands, json.dumps(request).encode() + b"\0")
        while True:
            message = self.receive()
            if message.get("id") == self.number:
                if "error" in message:
                    raise SystemExit(f"{method}: {message['error']}")
                return message["result"]

    def open(self, url):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise SystemExit(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def step(self, step):
        if "width" in step:
            self.call(
                "Emulation.setDeviceMetricsOverride", width=step["width"], height=step.get("height", 900),
                deviceScaleFactor=1, mobile=False,
            )  # fmt: skip
        if "dark" in step:
            scheme = "dark" if step["dark"] else "light"
            self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        deadline = time.monotonic() + step.get("seconds", 30)
        # Until the page is there, what the expression asks for is not.
        while not self.evaluate(f"(() => {{ try {{ return {step.get('wait', 'true')} }} catch {{ return false }} }})()"):
            if time.monotonic() > deadline:
                raise SystemExit(f"never true: {step['wait']}\n{self.evaluate('document.body.innerText')}\n{self.console}")
            time.sleep(0.05)
        time.sleep(step.get("settle", 0.3))
        value = self.evaluate(step["evaluate"]) if "evaluate" in step else None
        if "picture" in step:
            size = self.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
            clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
            data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
            with open(step["picture"], "wb") as file:
                file.write(base64.b64decode(data))
        return value


plan = json.loads(sys.argv[1])
browser = Browser(plan["chromium"], plan["profile"])
try:
    browser.open(plan["url"])
    for step in plan["steps"]:
        print(json.dumps({"value": browser.step(step)}), flush=True)
    print(json.dumps({"console": browser.console}), flush=True)
finally:
    browser.process.kill()
    browser.process.wait()
