import java.net.URI;
import java.net.http.*;

public class Guard { // aip serve --as support-agent-v1 --listen 127.0.0.1:7447
    public static void main(String[] args) throws Exception {
        String body = "{\"agent_id\":\"%s\",\"action\":\"issue_refund\",\"params\":{\"amount\":%s}}".formatted(args[2], args[3]);
        HttpRequest request = HttpRequest.newBuilder(URI.create(args[0] + "/v1/guard"))
            .header("Authorization", "Bearer " + args[1]).POST(HttpRequest.BodyPublishers.ofString(body)).build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200 || !answer.body().startsWith("{\"success\":true,")) throw new SecurityException(answer.body());
        System.out.println("refunded");
    }
}
