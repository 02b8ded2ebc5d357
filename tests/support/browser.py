"""A headless Chromium that keeps to itself, with what tests of pages ask it: what it fetched, what is not accessible, how wide it is."""
import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
AXE = ROOT / "build" / "test-tools" / "node_modules" / "axe-core" / "axe.min.js"
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-extensions", "--hide-scrollbars")
PAGE_SECONDS = 30


def missing_browser():
    """Why there is no browser here, or None."""
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        return "chromium and chromium-driver are not installed"
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "python3-selenium is not installed"
    return None


class Browser:
    def __init__(self, driver):
        self._driver = driver
        self._axe = None

    def open(self, address):
        self._driver.get_log("performance")  # what came before
        self._driver.get(address)

    def run(self, script, *arguments):
        return self._driver.execute_script(script, *arguments)

    def size(self, width, height=900):
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def colours(self, scheme):
        """light or dark, as the visitor's system says."""
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                     {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def press(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains
        for key in keys:
            ActionChains(self._driver).send_keys(key).perform()

    def screenshot(self):
        return self._driver.get_screenshot_as_png()

    def fetched(self):
        """Addresses that the last page asked for, each with the bytes that came over the wire."""
        asked, lengths = {}, {}
        for entry in self._driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            # The browser's own first page may still be loading; it is chrome://.
            if message["method"] == "Network.requestWillBeSent" and not message["params"]["documentURL"].startswith("chrome:"):
                asked[message["params"]["requestId"]] = message["params"]["request"]["url"]
            elif message["method"] == "Network.loadingFinished":
                lengths[message["params"]["requestId"]] = message["params"]["encodedDataLength"]
        return {address: lengths.get(number, 0) for number, address in asked.items()}

    def axe(self):
        """What axe-core finds in the page, a line each."""
        if self._axe is None:
            made = subprocess.run([ROOT / "scripts" / "axe" / "install"], capture_output=True, text=True, timeout=300)
            assert made.returncode == 0, made.stdout + made.stderr
            self._axe = AXE.read_text()
        # By the protocol, which a page's Content-Security-Policy does not bind.
        self._evaluate(self._axe + "\n;null")
        found = json.loads(self._evaluate("axe.run().then(found => JSON.stringify(found.violations))"))
        return [f"{one['id']} ({one['impact']}): {node['html'][:160]}" for one in found for node in one["nodes"]]

    def _evaluate(self, expression):
        answer = self._driver.execute_cdp_cmd("Runtime.evaluate", {"expression": expression, "awaitPromise": True,
                                                                   "returnByValue": True})
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")


@contextlib.contextmanager
def chromium():
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for option in (*OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        try:
            driver.set_page_load_timeout(PAGE_SECONDS)
            yield Browser(driver)
        finally:
            driver.quit()
