"""Debian's Prometheus with a past of the test's own (OpenMetrics text, argv[1]); gone when standard input ends. Prints {"port": n}."""
import json, shutil, socket, subprocess, sys, tempfile, time, urllib.request

folder = tempfile.mkdtemp(prefix="tocsin-prometheus-")
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
server = None
try:
    with open(folder + "/prometheus.yml", "w") as f:
        f.write("global: {scrape_interval: 1h}\n")
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", sys.argv[1], folder + "/data"], check=True, **quiet)
    server = subprocess.Popen(
        ["prometheus", "--config.file", folder + "/prometheus.yml", "--storage.tsdb.path", folder + "/data",
         "--storage.tsdb.retention.time", "50y", "--web.listen-address", f"127.0.0.1:{port}"], **quiet)
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1).read()
            break
        except OSError:
            time.sleep(0.1)
    print(json.dumps({"port": port}), flush=True)
    sys.stdin.read()
finally:
    if server:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
    shutil.rmtree(folder, ignore_errors=True)
