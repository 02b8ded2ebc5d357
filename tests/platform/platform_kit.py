"""A Skiff with apps pushed by git: small Perl programs, since the run stack has Perl and nothing needs compiling."""
import pathlib
import subprocess
import urllib.error
import urllib.request

from support import instance as support
from support.instance import wait_for

GIT = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]
# Answers its DYNO on $PORT, ends at once on SIGTERM.
WEB = r"""
$SIG{TERM} = sub { print "goodbye\n"; exit 0 };
$| = 1;
use IO::Socket;
my $s = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 64, ReuseAddr => 1) or die;
while (1) {
  my $c = $s->accept or next;
  while (defined(my $l = <$c>)) { last if $l =~ /^\r?$/ }
  my $b = $ENV{DYNO};
  print $c "HTTP/1.1 200 OK\r\nContent-Length: " . length($b) . "\r\nConnection: close\r\n\r\n$b";
  close $c;
}
"""
# Counts, three numbers a write: lines that share their time.
COUNTER = r"""
$SIG{TERM} = sub { exit 0 };
my $n = 0;
while (1) { syswrite STDOUT, join("", map { "n=" . ++$n . "\n" } 1 .. 3); select(undef, undef, undef, 0.02) }
"""
SILENT = "$SIG{TERM} = sub { exit 0 }; sleep 1 while 1\n"
DEAF = "$SIG{TERM} = 'IGNORE'; sleep 1 while 1\n"
# Does not know of SIGTERM.
PLAIN = "sleep 1 while 1\n"
# Tells by its name that it was told, a second later.
TOLD = r"""
$SIG{TERM} = sub { sleep 1; print STDERR "$ARGV[0] was told\n"; exit 0 };
print STDERR "$ARGV[0] is ready\n";
sleep 1 while 1;
"""


class Instance(support.Instance):
    def run(self, *args, **options):
        """The command's exit code and all that it said."""
        done = self.skiff(*args, check=False, **options)
        return done.returncode, done.stdout + done.stderr

    def push(self, folder, name, types, commands=None):
        """Makes the app of {process type: Perl program} and pushes it. `commands` has types that run otherwise."""
        folder.mkdir(parents=True, exist_ok=True)
        new = not (folder / ".git").exists()
        if new:
            subprocess.run(["git", "init", "-q", "-b", "main", "."], cwd=folder, check=True)
            subprocess.run([support.BINARY, "create", name], cwd=folder, env=self.env, check=True, capture_output=True)
        (folder / "Makefile").write_text("all:\n\ttrue\n")
        for kind, program in types.items():
            (folder / f"{kind}.pl").write_text(program)
        lines = {kind: f"perl {kind}.pl" for kind in types} | (commands or {})
        (folder / "Procfile").write_text("".join(f"{kind}: {command}\n" for kind, command in lines.items()))
        subprocess.run([*GIT, "add", "-A"], cwd=folder, check=True)
        subprocess.run([*GIT, "commit", "-qm", "next", "--allow-empty"], cwd=folder, check=True)
        pushed = subprocess.run(["git", "push", "skiff", "main"], cwd=folder, env=self.env, capture_output=True,
                                text=True, timeout=300)
        assert pushed.returncode == 0, pushed.stderr

    def fetch(self, app):
        """Status and body of the app through the edge."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}/", headers={"Host": f"{app}.localhost"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def logs(self, app, *options):
        return self.skiff("logs", "-n", "1500", "-a", app, *options).stdout

    def logged(self, app, text, seconds=30):
        return wait_for(lambda: text in self.logs(app), seconds)

    def dynos(self, app):
        """Name → state, as `skiff ps` shows them."""
        lines = self.skiff("ps", "-a", app).stdout.splitlines()
        return {line.split(":")[0]: line.split()[1] for line in lines if ": " in line and not line.startswith("===")}

    def all_up(self, app, names, seconds=30):
        return wait_for(lambda: self.dynos(app) == {name: "up" for name in names}, seconds)

    def platform_pid(self):
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if words[1:3] == ["role", "platform"] and str(self.data) in words:
                return int(entry.name)
        return None
