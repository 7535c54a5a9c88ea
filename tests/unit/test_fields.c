/* Our messages against the numbers containerd has published. */
#include <criterion/criterion.h>
#include <string.h>

#include "proto/bootstrap.pb-c.h"
#include "proto/envelope.pb-c.h"
#include "proto/events.pb-c.h"
#include "proto/metrics1.pb-c.h"
#include "proto/metrics2.pb-c.h"
#include "proto/options.pb-c.h"
#include "proto/task.pb-c.h"

static const struct {
	const ProtobufCMessageDescriptor *message;
	const char *fields; /* "name=number ..." */
} published[] = {
	{&pst__create_task_request__descriptor,
	 "id=1 bundle=2 rootfs=3 terminal=4 stdin=5 stdout=6 stderr=7 checkpoint=8 "
	 "parent_checkpoint=9 options=10"},
	{&pst__create_task_response__descriptor, "pid=1"},
	{&pst__start_request__descriptor, "id=1 exec_id=2"},
	{&pst__start_response__descriptor, "pid=1"},
	{&pst__delete_request__descriptor, "id=1 exec_id=2"},
	{&pst__delete_response__descriptor, "pid=1 exit_status=2 exited_at=3"},
	{&pst__exec_process_request__descriptor,
	 "id=1 exec_id=2 terminal=3 stdin=4 stdout=5 stderr=6 spec=7"},
	{&pst__resize_pty_request__descriptor, "id=1 exec_id=2 width=3 height=4"},
	{&pst__close_iorequest__descriptor, "id=1 exec_id=2 stdin=3"},
	{&pst__state_request__descriptor, "id=1 exec_id=2"},
	{&pst__state_response__descriptor,
	 "id=1 bundle=2 pid=3 status=4 stdin=5 stdout=6 stderr=7 terminal=8 exit_status=9 "
	 "exited_at=10 exec_id=11"},
	{&pst__kill_request__descriptor, "id=1 exec_id=2 signal=3 all=4"},
	{&pst__pids_request__descriptor, "id=1"},
	{&pst__pids_response__descriptor, "processes=1"},
	{&pst__process_info__descriptor, "pid=1 info=2"},
	{&pst__checkpoint_task_request__descriptor, "id=1 path=2 options=3"},
	{&pst__update_task_request__descriptor, "id=1 resources=2"},
	{&pst__wait_request__descriptor, "id=1 exec_id=2"},
	{&pst__wait_response__descriptor, "exit_status=1 exited_at=2"},
	{&pst__stats_response__descriptor, "stats=1"},
	{&pst__connect_response__descriptor, "shim_pid=1 task_pid=2 version=3"},
	{&pst__shutdown_request__descriptor, "id=1 now=2"},
	{&pst__mount__descriptor, "type=1 source=2 target=3 options=4"},
	{&pst__any__descriptor, "type_url=1 value=2"},
	{&pst__timestamp__descriptor, "seconds=1 nanos=2"},
	{&pst__rpc_request__descriptor, "service=1 method=2 payload=3 timeout_nano=4 metadata=5"},
	{&pst__rpc_response__descriptor, "status=1 payload=2"},
	{&pst__rpc_status__descriptor, "code=1 message=2 details=3"},
	{&pst__key_value__descriptor, "key=1 value=2"},
	{&pst__event_envelope__descriptor, "timestamp=1 namespace=2 topic=3 event=4"},
	{&pst__forward_request__descriptor, "envelope=1"},
	{&pst__task_create__descriptor, "container_id=1 bundle=2 rootfs=3 io=4 checkpoint=5 pid=6"},
	{&pst__task_io__descriptor, "stdin=1 stdout=2 stderr=3 terminal=4"},
	{&pst__task_start__descriptor, "container_id=1 pid=2"},
	{&pst__task_exec_added__descriptor, "container_id=1 exec_id=2"},
	{&pst__task_exec_started__descriptor, "container_id=1 exec_id=2 pid=3"},
	{&pst__task_exit__descriptor, "container_id=1 id=2 pid=3 exit_status=4 exited_at=5"},
	{&pst__task_delete__descriptor, "container_id=1 pid=2 exit_status=3 exited_at=4 id=5"},
	{&pst__task_oom__descriptor, "container_id=1"},
	{&pst__task_paused__descriptor, "container_id=1"},
	{&pst__task_resumed__descriptor, "container_id=1"},
	{&pst__task_checkpointed__descriptor, "container_id=1 checkpoint=2"},
	{&pst__runc_options__descriptor,
	 "no_pivot_root=1 no_new_keyring=2 shim_cgroup=3 io_uid=4 io_gid=5 binary_name=6 root=7 "
	 "criu_path=8 systemd_cgroup=9 criu_image_path=10 criu_work_path=11"},
	{&pst__runtime_options__descriptor, "type_url=1 config_path=2 config_body=3"},
	{&pst__process_details__descriptor, "exec_id=1"},
	{&pst__bootstrap_params__descriptor,
	 "instance_id=1 namespace=2 log_level=3 containerd_version=4 containerd_ttrpc_address=5 "
	 "containerd_grpc_address=6 containerd_binary=7 extensions=8 socket_dir=9"},
	{&pst__runtime_info__descriptor, "name=1 version=2 options=3 features=4"},
	{&pst1__metrics__descriptor, "pids=2 cpu=3 memory=4 blkio=5 memory_oom_control=9"},
	{&pst1__cpuusage__descriptor, "total=1 kernel=2 user=3 per_cpu=4"},
	{&pst1__memory_entry__descriptor, "limit=1 usage=2 max=3 failcnt=4"},
	{&pst1__blk_ioentry__descriptor, "op=1 device=2 major=3 minor=4 value=5"},
	{&pst2__metrics__descriptor, "pids=1 cpu=2 memory=4 io=6 memory_events=8"},
	{&pst2__memory_events__descriptor, "low=1 high=2 max=3 oom=4 oom_kill=5"},
	{&pst2__ioentry__descriptor, "major=1 minor=2 rbytes=3 wbytes=4 rios=5 wios=6"},
};

Test(fields, every_message_has_the_published_numbers)
{
	for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
		const ProtobufCMessageDescriptor *d = published[i].message;
		char have[1024] = "";
		size_t n = 0;
		for (unsigned k = 0; k < d->n_fields; k++)
			n += (size_t)snprintf(have + n, sizeof have - n, "%s%s=%u", k > 0 ? " " : "",
					      d->fields[k].name, d->fields[k].id);
		cr_expect_str_eq(have, published[i].fields, "%s: %s", d->name, have);
	}
}
