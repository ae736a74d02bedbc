# The steps of .ci/run, one function each. They run in $tree, a copy of the working tree; $bin is the virtual environment.

# The tests of the core as it was built once more: the suite without what is named here, since that needs the sources,
# or is about something else (memory, which sanitizers take; what is Python alone), or holds the same arithmetic against
# exact numbers, which the first run has done. What is left reads and writes memory of every kind.
core_tests=()
for other in cli readme packaging import doctests differences benchmarks example frameworks native_kernels constants \
  operator_native cross_entropy_docs cross_entropy_derivatives cross_entropy_memory cross_entropy_peers derivation plot \
  notebooks explain_docs check accuracy cross_entropy_accuracy operator_exact operator_budget oracle; do
  core_tests+=("--ignore-glob=*/test_$other*.py")
done

# Whole files to each of two processes: what a file computes once stays computed.
two_at_a_time=(-n 2 --dist loadfile)

quietly() {  # the output of a command only if it fails
  local log
  log=$(mktemp "$work/log.XXXXXX")
  "$@" >"$log" 2>&1 || { local status=$?; tail -n 60 "$log"; return "$status"; }
}

pytest_in() {  # pytest_in NAME ARGUMENTS...: one run, with its report where .ci/count.py finds it
  local name=$1
  shift
  mkdir -p "$work/junit"
  "$bin/python" -m pytest --junitxml="$work/junit/$name.xml" -o junit_suite_name="$name" -p no:cacheprovider "$@"
}

step_system() {
  "$python" -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or later is needed"'
  local packages=()
  command -v git >/dev/null || packages+=(git)
  command -v g++ >/dev/null || packages+=(g++)
  command -v ccache >/dev/null || packages+=(ccache)
  command -v aarch64-linux-gnu-g++ >/dev/null || packages+=(g++-aarch64-linux-gnu)
  command -v qemu-aarch64 >/dev/null || command -v qemu-aarch64-static >/dev/null || packages+=(qemu-user)
  "$python" -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
  "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' || packages+=(python3-dev)
  if [ ${#packages[@]} -gt 0 ]; then
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    echo "installing ${packages[*]}"
    quietly "${as_root[@]}" apt-get update
    quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
  fi
  renderers &
  "$python" --version
  g++ --version | head -n 1
}

# TeX and Chromium, for the tests of documents and pages. They are large: they come while the packages of Python do.
renderers() {
  local packages=()
  command -v pdflatex >/dev/null || packages+=(texlive-latex-recommended)
  command -v chromium >/dev/null || packages+=(chromium)
  [ -d /usr/share/fonts/truetype/dejavu ] || packages+=(fonts-dejavu-core)
  if [ ${#packages[@]} -gt 0 ]; then
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    {
      "${as_root[@]}" apt-get update
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
    } >"$work/renderers.log" 2>&1 || echo "this failed" >>"$work/renderers.log"
  fi
  touch "$work/renderers.done"
}

step_copy() {
  # What git has or would take: no caches, no build folders. A repository of its own, since an sdist is made from one.
  mkdir "$tree"
  git -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [ -e "$file" ] && printf '%s\0' "$file"; done |
    tar --create --null --files-from=- | tar --extract --directory "$tree"
  cd "$tree"
  git init --quiet
  git add --all
  git -c user.name=ci -c user.email=ci@localhost -c commit.gpgsign=false commit --quiet --message "copy for CI"
}

step_install() {
  # The core is compiled while what the tests need is fetched and unpacked.
  local extras=cli,test,browser,peers building
  local -a wheel
  "$python" -m venv "$work/venv"
  quietly "$bin/pip" install --upgrade 'pip>=25.1'
  quietly "$bin/pip" wheel --no-deps --wheel-dir "$work/first_wheel" . -Csetup-args=-Drequire_core=true &
  building=$!
  "$bin/python" .ci/extras.py ${extras//,/ } > "$work/extras.txt"
  quietly "$bin/pip" install --requirement "$work/extras.txt" --group dev
  wait "$building"
  wheel=("$work"/first_wheel/*.whl)
  quietly "$bin/pip" install "${wheel[0]}[$extras]"
  "$bin/python" -c 'import softjac; print(softjac.show_config())'
}

step_tests() {
  # NEON: the row kernels for 64-bit ARM, cross-compiled, under qemu-user, against the bits of this machine's core.
  export SOFTJAC_REQUIRE_PEERS=1 SOFTJAC_REQUIRE_CORE=1 SOFTJAC_REQUIRE_NEON=1 SOFTJAC_REQUIRE_RENDERERS=1
  local waited=0
  until [ -e "$work/renderers.done" ]; do
    sleep 1
    [ $((waited += 1)) -lt 300 ] || break
  done
  [ ! -e "$work/renderers.log" ] || tail -n 3 "$work/renderers.log"
  pytest_in suite "${two_at_a_time[@]}" --durations=10 --ignore-glob='*/test_import*.py'
  pytest_in import tests/test_import.py  # by itself: it takes times
}

step_lint() {
  "$bin/ruff" check .
}

step_format() {
  "$bin/ruff" format --check .
}

step_types() {
  "$bin/mypy"
}

step_imports() {
  PYTHONPATH=src "$bin/lint-imports" --no-cache
}

step_changelog() {
  quietly "$bin/towncrier" build --draft --version "$("$bin/python" tools/version.py)"
}

step_doctests() {
  pytest_in doctests --doctest-modules --pyargs softjac
}

step_build() {
  # The sdist first, then the wheel from it: what is missing in the sdist fails here.
  quietly "$bin/python" -m build --sdist --outdir "$work/dist" .
  mkdir "$work/unpacked"
  tar --extract --directory "$work/unpacked" --strip-components 1 --file "$work"/dist/*.tar.gz
  (cd "$work/unpacked" &&
    quietly "$bin/python" -m build --wheel --outdir "$work/dist" -Csetup-args=-Drequire_core=true -Cbuild-dir=build .)
  "$bin/python" .ci/check_dist.py "$work/dist"
  # Code for one instruction set must not be what the linker takes for all of them: an inline function that another
  # file also has would be. So each file of kernels defines one name that other files can see, with the instruction set
  # in it: their table, and the operator's rows.
  local object defined objects
  mapfile -t objects < <(find "$work/unpacked/build" -path '*libkernels_*' -name '*.o')
  echo "${#objects[@]} files of kernels"
  [ ${#objects[@]} -ge 6 ]
  for object in "${objects[@]}"; do
    defined=$(nm --defined-only --extern-only "$object" | awk '{ print $3 }')
    [[ $defined =~ ^_ZN7softjac[0-9]+(kernels|narrow_kernels|operator_rows)_[a-z0-9_]+E[A-Za-z0-9_]*$ ]] || { echo "$object defines: $defined"; exit 1; }
  done
}

outside() {  # the tests without the sources, as somebody has them who installed a wheel
  mkdir "$work/$1"
  cp -r tests pyproject.toml "$work/$1"
  cd "$work/$1"
}

step_wheel() {
  quietly "$bin/pip" install --force-reinstall --no-deps "$work"/dist/*.whl
  outside wheel
  # The same core as was tested, from the same text: a tenth of the cases show that what is in the wheel works.
  export SOFTJAC_REQUIRE_CORE=1 SOFTJAC_SHARE=10
  pytest_in wheel "${two_at_a_time[@]}" "${core_tests[@]}" -m compiled
}

bare_path() {  # a PATH with Python and the usual small programs, but no compiler, linker, ninja or patchelf
  local folder=$work/bare tool
  mkdir "$folder"
  for tool in bash sh env cat ls mkdir rm cp mv ln chmod uname dirname basename sed grep head tail tr git; do
    ln -s "$(command -v "$tool")" "$folder/$tool"
  done
  ln -s "$("$python" -c 'import sys; print(sys.executable)')" "$folder/python3"
  echo "$folder"
}

step_readme_first() {
  # The README's first command, copied from the README, in a fresh clone.
  git clone --quiet . "$work/clone_first"
  cd "$work/clone_first"
  "$bin/python" .ci/readme_commands.py 1 > "$work/readme_first.sh"
  cat "$work/readme_first.sh"
  quietly bash -euo pipefail "$work/readme_first.sh"
  .venv/bin/softjac jacobian 1 2 3
}

step_no_compiler() {
  # The README's second command, where there is no compiler and the peers are absent. The suite has run on the reference
  # before, beside the core: of each test a fifth of the cases. The derivation, what shows it and the checker are Python
  # alone, and were tested.
  git clone --quiet . "$work/clone_second"
  cd "$work/clone_second"
  local command
  command=$("$bin/python" .ci/readme_commands.py 2)
  echo "$command"
  mkdir -p "$work/junit"
  PATH=$(bare_path)
  export PATH SOFTJAC_SHARE=5 PYTEST_ADDOPTS="--junitxml=$work/junit/no_compiler.xml ${two_at_a_time[*]}"
  local python_alone
  for python_alone in derivation cli_explain explain notebooks plot check native_kernels constants; do
    PYTEST_ADDOPTS+=" --ignore-glob=*/test_$python_alone*.py"
  done
  bash -euo pipefail -c "$command" > "$work/no_compiler.log" 2>&1 || { tail -n 60 "$work/no_compiler.log"; return 1; }
  tail -n 1 "$work/no_compiler.log"
  .venv/bin/python -c 'import softjac; print(softjac.show_config())'
  [ -z "$(git status --porcelain)" ] || { echo "the two commands left files that git shows:"; git status --short; return 1; }
}

step_sanitizers() {
  # AddressSanitizer and UndefinedBehaviorSanitizer. Inlining is off: a compiler that inlines all the checks takes many
  # minutes. The intrinsics, which have to be inlined, spell their attribute with underscores; the kernels' own does not.
  # Of debugging symbols the lines alone: with all of them it takes a third longer.
  export CXX="g++ -Dalways_inline=unused -fno-inline -g1"

  # The whole extension module.
  export SOFTJAC_REQUIRE_SANITIZERS=1 SOFTJAC_REQUIRE_CORE=1
  quietly "$bin/pip" install --no-deps --target "$work/sanitized" . -Cbuild-dir="$work/sanitized_build" \
    -Csetup-args=-Drequire_core=true -Csetup-args=-Dbuildtype=debug -Csetup-args=-Ddebug=false \
    -Csetup-args=-Doptimization=1 \
    -Csetup-args=-Db_sanitize=address,undefined -Csetup-args=-Db_lundef=false

  # Its kernels by themselves, each operand in a block of exactly its size.
  export SOFTJAC_SANITIZED_BUILD=$work/sanitized_build
  pytest_in sanitized_kernels tests/test_native_kernels.py tests/test_operator_native.py -k outside

  # The module in Python, which itself leaks by design: leaks are off.
  outside sanitizers
  export PYTHONPATH=$work/sanitized
  export ASAN_OPTIONS=detect_leaks=0:halt_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  local asan stdcpp
  asan=$(g++ -print-file-name=libasan.so)
  stdcpp=$(g++ -print-file-name=libstdc++.so)
  # Not what reads no memory in a way of its own: other people's suites, containers, values of the same calls. Nor the
  # bits of the other instruction sets, a minute each here: their kernels were run by themselves above. Of the rest a
  # fifth of the cases of each test, since each takes several times as long here.
  local other
  for other in onnx scipy_suite properties pandas dask operator_spectrum operator_docs operator_errors \
    cross_entropy_hessian cross_entropy_onnx worked_values; do
    core_tests+=("--ignore-glob=*/test_$other*.py")
  done
  export SOFTJAC_SHARE=5
  # What a sanitizer reports goes past pytest to the log, since it ends the process.
  LD_PRELOAD="$asan $stdcpp" pytest_in sanitizers "${two_at_a_time[@]}" "${core_tests[@]}" -m compiled \
    -k "not instruction_sets" --capture=sys
}
