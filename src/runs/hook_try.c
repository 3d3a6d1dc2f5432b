/* hook_try.c: one try of a hook, of whichever kind. On the thread of hooks.c. */
#include "runs/hook.h"

#include <string.h>

#include "base/secret.h"
#include "base/text.h"

void hook_try(struct hook_call *call, const _Atomic bool *is_ending)
{
	call->is_done = call->is_later = false;
	call->answer[0] = '\0';
	if (call->hook->url)
		hook_try_post(call, is_ending);
	else
		hook_try_command(call, is_ending);
	secret_hide(call->answer);
	text_make_safe(call->answer, strlen(call->answer));
}
