"""A PostgreSQL of its own for one test run: made in a temporary folder, gone with the test (when standard input ends).

Prints one line of JSON: {"host": folder of the socket, "port": n, "user": …, "password": …}. Over the socket everybody may in, over TCP the password is asked.
"""
import glob, json, os, pwd, shutil, socket, subprocess, sys, tempfile, time

bins = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))
if not bins:
    sys.exit("there is no PostgreSQL server: scripts/setup --tests installs it")
bin = bins[-1]
folder = tempfile.mkdtemp(prefix="tocsin-pg-", dir="/tmp")
user = {}
if os.geteuid() == 0:
    # The server refuses to run as root.
    account = pwd.getpwnam("postgres")
    os.chown(folder, account.pw_uid, account.pw_gid)
    user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
os.chmod(folder, 0o755)
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
with open(folder + "/password", "w") as f:
    f.write("s3cret-word")
os.chmod(folder + "/password", 0o644)
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", "env": {"LC_ALL": "C.UTF-8", "PATH": bin}}
server = None
try:
    subprocess.run(
        [bin + "/initdb", "-D", folder + "/data", "-U", "tocsin", "--pwfile", folder + "/password", "--no-sync",
         "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8"], check=True, **quiet, **user)
    server = subprocess.Popen(
        [bin + "/postgres", "-D", folder + "/data", "-k", folder, "-h", "127.0.0.1", "-p", str(port), "-c", "fsync=off",
         "-c", "max_connections=30", "-c", "shared_buffers=16MB"], **quiet, **user)
    ready = [bin + "/pg_isready", "-q", "-h", folder, "-p", str(port)]
    for _ in range(200):
        if subprocess.run(ready).returncode == 0:
            break
        time.sleep(0.1)
    subprocess.run(
        ["/usr/bin/psql", "-qX", "-h", folder, "-p", str(port), "-U", "tocsin", "postgres", "-f", sys.argv[1]], check=True,
        stdout=subprocess.DEVNULL)
    print(json.dumps({"host": folder, "port": port, "user": "tocsin", "password": "s3cret-word"}), flush=True)
    sys.stdin.read()
finally:
    if server:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
    shutil.rmtree(folder, ignore_errors=True)
